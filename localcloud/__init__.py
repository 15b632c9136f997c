"""Cloud Storage, Pub/Sub and Cloud Tasks on one machine, for Google's own clients.

The package imports nothing else of this project.

`cloud.py` starts the three services in one event loop; README.md describes their common layout.
"""
