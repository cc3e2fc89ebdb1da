"""The application: commands, generation pipeline, decoder, validator."""

__version__ = "0.1.0"
