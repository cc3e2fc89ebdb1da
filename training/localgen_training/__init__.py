"""Training of localgen's models: data synthesis, the small decoder, export to GGUF, evaluation.

A distribution of its own, so that torch never reaches a machine that only generates.
"""
