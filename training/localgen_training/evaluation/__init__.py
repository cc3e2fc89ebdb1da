"""What a model is worth: tasks by suite, the product's answers, samples with and without the constraint, figures."""
