"""From what was trained to a GGUF file: merge, write, compare, quantise."""
