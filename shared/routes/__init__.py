"""pipeline.toml → pools, queues, steps, routes and webhooks; a file → its plan. Pure: no environment, no cloud.

`load` reads a file, `parse` its text, `check` the table in it; docs/settings.md explains every key.

definitions  pools, queues, steps, routes  planning   `Routes`: the plan of a file, or why it has none
keys, kinds  all keys, right values        per_file   options that a file's metadata sets
checks       the whole table               relations  cycles, inputs and conditions
pools        the tables of pools           deadlines  whether a task ends in time
separation   pools outside the sandbox     overlaps   patterns that match one text
tasks        all tasks that a file brings  schema     the JSON Schema, for editors
refusals     sentences for whoever sends a file  webhooks   receivers of notices
"""

import tomllib
from pathlib import Path

from shared.errors import BadConfiguration
from shared.routes.checks import check
from shared.routes.definitions import Pool, Queue, Route, Step
from shared.routes.planning import Routes
from shared.routes.webhooks import Webhook

__all__ = ["Pool", "Queue", "Route", "Routes", "Step", "Webhook", "check", "load", "parse"]


def load(path: Path) -> Routes:
    """Read and check a pipeline.toml. Raises `BadConfiguration` naming the file and each wrong key or line."""
    try:
        return parse(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BadConfiguration(f"{path}: not found; set SLUICE_PIPELINE to the path of a pipeline.toml") from None
    except OSError as error:
        raise BadConfiguration(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise BadConfiguration(f"{path}: not TOML, which is UTF-8: {error}") from None
    except BadConfiguration as error:
        faults = "\n".join(f"{path}: {fault}" for fault in error.message.split("\n"))
        raise BadConfiguration(faults) from error.__cause__


def parse(text: str) -> Routes:
    """Check the text of a pipeline.toml. Raises `BadConfiguration` naming each wrong key or line."""
    try:
        table = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # beside its own error, tomllib raises these for absurd numbers and depths
        raise BadConfiguration(f"not TOML: {error}") from None
    return check(table)
