"""The bundle: the data that ships (weights, encoder, domains), where it lies, and whether it is intact."""
