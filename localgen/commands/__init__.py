"""The commands, one module per verb, each with its own `main()`. The only place that prints."""
