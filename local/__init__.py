"""Sluice on the local cloud: the stack of functions, the demo, and `python -m local`."""
