"""The queues of a pipeline.toml, a line each: name, rate, tasks at once, attempts of the queue, least and longest pause."""

import sys
import tomllib
from pathlib import Path
from typing import Any


def line(name: str, queue: dict[str, Any]) -> str:
    """As deploy/resources.sh reads it: no spaces but between the fields, numbers as short as they can be."""
    rates = f"{queue['max_dispatches_per_second']:g} {queue['max_concurrent_dispatches']}"
    # One delivery more than a file has attempts: the processor buries the task in it.
    return f"{name} {rates} {queue['attempts'] + 1} {queue['min_backoff_seconds']:g}s {queue['max_backoff_seconds']:g}s"


if __name__ == "__main__":
    path = Path(sys.argv[1])
    try:
        queues = tomllib.loads(path.read_text())["queues"]
        print("\n".join(line(name, queue) for name, queue in queues.items()))
    except KeyError as error:
        sys.exit(f"error: {path}: {error.args[0]} is missing; docs/settings.md tells what a queue takes")
    except (OSError, tomllib.TOMLDecodeError) as error:
        sys.exit(f"error: {path}: {error}")
