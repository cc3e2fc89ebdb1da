"""The constrained decoder: k candidates side by side under one grammar, with a language model for the choices."""
