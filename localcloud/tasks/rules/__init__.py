"""Pure rules: which requests are valid, and the defaults they get."""
