"""A run on one page: figures, plots, and whether it meets its targets."""
