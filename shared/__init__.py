"""The library all functions use. Start reading at `pipeline.py`."""
