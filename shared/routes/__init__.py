"""pipeline.toml → queues, steps and routes; a file → its tasks. Pure: no environment, no cloud.

`load` reads a file, `parse` its text, `check` the table in it; docs/settings.md explains every key.
"""

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shared import media, processors
from shared.errors import BadConfiguration, PipelineError
from shared.model import File, Recipe, Task


@dataclass(frozen=True, slots=True)
class Queue:
    """A Cloud Tasks queue: its rate and its retries.

    `attempts` are those of a file. The queue delivers once more, and that delivery records the verdict `dead`.
    """

    name: str
    max_dispatches_per_second: float
    max_concurrent_dispatches: int
    attempts: int
    min_backoff_seconds: float
    max_backoff_seconds: float


@dataclass(frozen=True, slots=True)
class Route:
    """The steps of the files whose content type and name match.

    In a name, `*` stops at a slash and `**` does not.
    """

    content_type: str
    name: str
    steps: tuple[str, ...]

    def matches(self, content_type: str, name: str) -> bool:
        """Whether a file of this type and name takes this route."""
        return _matches(self.content_type, media.essence(content_type)) and _matches(self.name, name)


@dataclass(frozen=True, slots=True)
class Step:
    """A recipe and the queue of its tasks."""

    recipe: Recipe
    queue: Queue


@dataclass(frozen=True, slots=True)
class Routes:
    """A checked pipeline.toml."""

    queues: Mapping[str, Queue]
    steps: Mapping[str, Step]
    routes: tuple[Route, ...]

    def steps_for(self, content_type: str, name: str) -> list[Step]:
        """The steps of every route that matches, each once, sorted by name."""
        names = {step for route in self.routes if route.matches(content_type, name) for step in route.steps}
        return [self.steps[step] for step in sorted(names)]

    def why_not(self, content_type: str, name: str) -> str:
        """The reason why no route takes a file of this type and name, with the accepted types; empty when one does."""
        if self.steps_for(content_type, name):
            return ""
        accepted = ", ".join(sorted({route.content_type for route in self.routes}))
        return f"no route takes {content_type}; accepted: {accepted}"

    def plan(self, file: File) -> list[Task]:
        """One task for each step; empty when no route takes the file."""
        steps = self.steps_for(file.content_type, file.name)
        siblings = tuple(sorted(step.recipe.recipe_id for step in steps))
        return [Task(file, step.recipe, step.queue.name, step.queue.attempts, siblings) for step in steps]


def load(path: Path) -> Routes:
    """Read and check a pipeline.toml. Raises `BadConfiguration` naming the file and the key or line."""
    try:
        return parse(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BadConfiguration(f"{path}: not found; set SLUICE_PIPELINE to the path of a pipeline.toml") from None
    except OSError as error:
        raise BadConfiguration(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise BadConfiguration(f"{path}: not TOML, which is UTF-8: {error}") from None
    except BadConfiguration as error:
        raise BadConfiguration(f"{path}: {error.message}") from error.__cause__


def parse(text: str) -> Routes:
    """Check the text of a pipeline.toml. Raises `BadConfiguration` naming the key or line."""
    try:
        table = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # beside its own error, tomllib raises these for absurd numbers and depths
        raise BadConfiguration(f"not TOML: {error}") from None
    return check(table)


def check(table: Mapping[str, Any]) -> Routes:
    """Check the whole table of a pipeline.toml. Raises `BadConfiguration` naming the key and a right value."""
    _only(table, "", ("queues", "steps", "routes"))
    queues = {name: _queue(name, value) for name, value in _tables(table, "queues").items()}
    steps = {name: _step(name, value, queues) for name, value in _tables(table, "steps").items()}
    routes = table.get("routes")
    if not isinstance(routes, list) or not routes:
        raise _wrong("routes", routes, "write [[routes]] with content_type, name and steps")
    return Routes(queues, steps, tuple(_route(number, route, steps) for number, route in enumerate(routes, 1)))


_QUEUE_RANGES: dict[str, tuple[type, float, float]] = {
    "max_dispatches_per_second": (float, 0.001, 500),
    "max_concurrent_dispatches": (int, 1, 5000),
    "attempts": (int, 1, 99),
    "min_backoff_seconds": (float, 0.1, 3600),
    "max_backoff_seconds": (float, 0.1, 3600),
}


def _queue(name: str, value: Any) -> Queue:
    key = f"queues.{name}"
    _check_name(key, name, "[a-z][a-z0-9-]{0,40}")
    _only(value, key, tuple(_QUEUE_RANGES))
    numbers = {field: _number(f"{key}.{field}", value.get(field), *limits) for field, limits in _QUEUE_RANGES.items()}
    least, most = numbers["min_backoff_seconds"], numbers["max_backoff_seconds"]
    if least > most:
        raise _wrong(f"{key}.min_backoff_seconds", least, f"write at most {most:g}, which is max_backoff_seconds")
    return Queue(name, **numbers)


def _number(key: str, value: Any, kind: type, least: float, most: float) -> Any:
    allowed = (int, float) if kind is float else (int,)
    if isinstance(value, bool) or not isinstance(value, allowed) or not least <= value <= most:
        noun = "a number" if kind is float else "a whole number"
        raise _wrong(key, value, f"write {noun} from {least:g} to {most:g}")
    return kind(value)


def _step(name: str, value: Any, queues: Mapping[str, Queue]) -> Step:
    key = f"steps.{name}"
    _check_name(key, name, "[a-z][a-z0-9-]{0,30}")
    _only(value, key, ("processor", "queue", "options"))
    queue, processor_name = value.get("queue"), value.get("processor")
    if not isinstance(queue, str) or queue not in queues:
        raise _wrong(f"{key}.queue", queue, f"write one of {_listed(queues)}")
    if not isinstance(processor_name, str):
        raise _wrong(f"{key}.processor", processor_name, f"write one of {', '.join(processors.names())}")
    try:
        processor = processors.find(processor_name)
        options = processor.check(value.get("options", {}))
    except PipelineError as error:
        raise BadConfiguration(f"{key}.{error.message}") from error
    return Step(Recipe(name, processor.name, processor.version, options), queues[queue])


def _route(number: int, value: Any, steps: Mapping[str, Step]) -> Route:
    key = f"routes[{number}]"
    _only(value, key, ("content_type", "name", "steps"))
    pattern, name, chosen = value.get("content_type"), value.get("name"), value.get("steps")
    if not isinstance(pattern, str) or not media.is_pattern(pattern):
        raise _wrong(f"{key}.content_type", pattern, "write `image/*`, `application/pdf` or `*/*`")
    if not isinstance(name, str) or not name:
        raise _wrong(f"{key}.name", name, "write a pattern such as `**` or `invoices/*.pdf`")
    if not isinstance(chosen, list) or not chosen:
        raise _wrong(f"{key}.steps", chosen, f"list at least one of {_listed(steps)}")
    for step in chosen:
        if not isinstance(step, str) or step not in steps:
            raise _wrong(f"{key}.steps", step, f"list only steps of {_listed(steps)}")
    return Route(pattern, name, tuple(chosen))


def _tables(table: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = table.get(key)
    if not isinstance(value, dict) or not value:
        raise _wrong(key, value, f"write a table [{key}.<name>]")
    return value


def _check_name(key: str, name: str, pattern: str) -> None:
    if not re.fullmatch(pattern, name):
        raise BadConfiguration(f"{key}: a name takes lower-case letters, digits and hyphens ({pattern}); rename it")


def _only(value: Any, key: str, keys: tuple[str, ...]) -> None:
    if not isinstance(value, dict):
        raise _wrong(key, value, f"write a table with {', '.join(keys)}")
    for unknown in (name for name in value if name not in keys):
        raise BadConfiguration(f"{key}{'.' if key else ''}{unknown}: unknown key; the keys here are {', '.join(keys)}")


def _listed(names: Mapping[str, Any]) -> str:
    return ", ".join(sorted(names))


def _wrong(key: str, value: Any, remedy: str) -> BadConfiguration:
    return BadConfiguration(f"{key}: {'missing' if value is None else _shown(value)}; {remedy}")


def _shown(value: Any) -> str:
    try:
        text = repr(value)
    except ValueError:  # a hexadecimal number of thousands of digits can be read, but not written
        return "a number of thousands of digits"
    return f"{text if len(text) <= 80 else text[:77] + '...'} is not allowed"


_WILDCARDS: Mapping[str, str] = {"**": ".*", "*": "[^/]*", "?": "[^/]"}


def _matches(pattern: str, text: str) -> bool:
    part: Callable[[re.Match[str]], str] = lambda found: _WILDCARDS.get(found[0]) or re.escape(found[0])  # noqa: E731
    return re.fullmatch(re.sub(r"\*\*|\*|\?|.", part, pattern, flags=re.DOTALL), text, re.DOTALL) is not None
