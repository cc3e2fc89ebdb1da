"""Supervised fine-tuning of base models: conversations to rows, adapters, the trainer."""
