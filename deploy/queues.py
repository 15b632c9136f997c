"""The queues of a pipeline.toml, a line each: name, rate, tasks at once, attempts of the queue, least and longest pause."""

import sys
import tomllib
from pathlib import Path

for name, queue in tomllib.loads(Path(sys.argv[1]).read_text()).get("queues", {}).items():
    rates = f"{queue['max_dispatches_per_second']:g} {queue['max_concurrent_dispatches']}"
    # One delivery more than a file has attempts: the processor buries the task in it.
    print(name, rates, queue["attempts"] + 1, f"{queue['min_backoff_seconds']:g}s {queue['max_backoff_seconds']:g}s")
