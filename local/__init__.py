"""The cloud on one machine: Cloud Storage, Pub/Sub and Cloud Tasks, spoken to by their real clients.

`cloud.py` starts the three services; only `stack.py` (with `demo.py`) knows Sluice. Nothing here imports it.
"""
