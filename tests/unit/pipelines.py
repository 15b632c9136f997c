"""A small, right pipeline.toml in three pieces."""

QUEUE = """
[queues.images]
max_dispatches_per_second = 50
max_concurrent_dispatches = 20
attempts = 5
min_backoff_seconds = 1
max_backoff_seconds = 300
"""
STEP = """
[steps.thumbnails]
processor = "image.renditions"
queue = "images"
options = { sizes = [256], formats = ["webp"] }
"""
ROUTE = """
[[routes]]
content_type = "image/*"
name = "**"
steps = ["thumbnails"]
"""
WHOLE = QUEUE + STEP + ROUTE
