"""What a loan, a quote, an option and a hedge are: values and arithmetic, no I/O."""
