"""pipeline.toml → queues, steps and routes; a file → its tasks. Pure: reads no environment, asks no cloud."""

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from shared import processors
from shared.errors import BadConfiguration, PipelineError
from shared.model import File, Recipe, Task


@dataclass(frozen=True, slots=True)
class Queue:
    """How fast and how stubbornly tasks are delivered. `attempts` are a file's; the queue delivers once more, for the burial."""

    name: str
    max_dispatches_per_second: float
    max_concurrent_dispatches: int
    attempts: int
    min_backoff_seconds: float
    max_backoff_seconds: float


@dataclass(frozen=True, slots=True)
class Route:
    """Files of this content type and name go through these steps; `*` stops at a slash in a name, `**` does not."""

    content_type: str
    name: str
    steps: tuple[str, ...]

    def matches(self, content_type: str, name: str) -> bool:
        """Whether a file of this type and name takes this route."""
        return _matches(self.content_type, media_type(content_type)) and _matches(self.name, name)


@dataclass(frozen=True, slots=True)
class Step:
    """A recipe and the queue it waits in."""

    recipe: Recipe
    queue: Queue


@dataclass(frozen=True, slots=True)
class Routes:
    """All of pipeline.toml, checked."""

    queues: Mapping[str, Queue]
    steps: Mapping[str, Step]
    routes: tuple[Route, ...]

    def steps_for(self, content_type: str, name: str) -> list[Step]:
        """The steps of every route that matches, each once, by name."""
        names = {step for route in self.routes if route.matches(content_type, name) for step in route.steps}
        return [self.steps[step] for step in sorted(names)]

    def accepted_types(self) -> list[str]:
        """Every content type some route takes, as patterns."""
        return sorted({route.content_type for route in self.routes})

    def plan(self, file: File) -> list[Task]:
        """One task per step; none when no route takes the file."""
        steps = self.steps_for(file.content_type, file.name)
        siblings = tuple(sorted(step.recipe.recipe_id for step in steps))
        return [Task(file, step.recipe, step.queue.name, step.queue.attempts, siblings) for step in steps]


def media_type(content_type: str) -> str:
    """`Image/JPEG; q=1` → `image/jpeg`; nothing → `application/octet-stream`, as Cloud Storage has it."""
    return content_type.partition(";")[0].strip().lower() or "application/octet-stream"


def load(path: Path) -> Routes:
    """Read and check pipeline.toml. Raises `BadConfiguration` naming the file and the key or line."""
    try:
        return parse(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BadConfiguration(f"{path} does not exist; set SLUICE_PIPELINE to your pipeline.toml") from None
    except OSError as error:
        raise BadConfiguration(f"{path} cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadConfiguration(f"{path}: not TOML: {error}") from None
    except BadConfiguration as error:
        raise BadConfiguration(f"{path}: {error}") from None


def parse(text: str) -> Routes:
    """Check the text of a pipeline.toml whole. Raises `BadConfiguration` naming the key and what would be right."""
    table = tomllib.loads(text)
    _only(table, "", ("queues", "steps", "routes"))
    queues = {name: _queue(name, value) for name, value in _table(table, "queues").items()}
    steps = {name: _step(name, value, queues) for name, value in _table(table, "steps").items()}
    routes = table.get("routes", [])
    if not isinstance(routes, list) or not routes:
        raise BadConfiguration("routes: there is none; write [[routes]] with content_type, name and steps")
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
    _exactly(value, key, [field.name for field in fields(Queue) if field.name != "name"])
    numbers = {field: _number(f"{key}.{field}", value[field], *limits) for field, limits in _QUEUE_RANGES.items()}
    if numbers["min_backoff_seconds"] > numbers["max_backoff_seconds"]:
        raise BadConfiguration(f"{key}: min_backoff_seconds is larger than max_backoff_seconds")
    return Queue(name, **numbers)


def _number(key: str, value: Any, kind: type, least: float, most: float) -> Any:
    allowed = (int, float) if kind is float else (int,)
    if isinstance(value, bool) or not isinstance(value, allowed) or not least <= value <= most:
        word = "a number" if kind is float else "a whole number"
        raise BadConfiguration(f"{key}: {value!r}; it takes {word} from {least:g} to {most:g}")
    return kind(value)


def _step(name: str, value: Any, queues: Mapping[str, Queue]) -> Step:
    key = f"steps.{name}"
    _check_name(key, name, "[a-z][a-z0-9-]{0,30}")
    _only(value, key, ("processor", "queue", "options"))
    queue = value.get("queue")
    if not isinstance(queue, str) or queue not in queues:
        raise BadConfiguration(f"{key}.queue: {queue!r} is not a queue; there is {_listed(queues)}")
    try:
        processor = processors.find(str(value.get("processor")))
        options = processor.check(value.get("options", {}))
    except PipelineError as error:
        raise BadConfiguration(f"{key}.{error}") from None
    return Step(Recipe(name, processor.name, processor.version, options), queues[queue])


def _route(number: int, value: Any, steps: Mapping[str, Step]) -> Route:
    key = f"routes[{number}]"
    _exactly(value, key, ["content_type", "name", "steps"])
    pattern, name, wanted = value["content_type"], value["name"], value["steps"]
    if not isinstance(pattern, str) or not re.fullmatch(r"(\*|[a-z]+)/(\*|[a-z0-9][a-z0-9.+-]*)", pattern):
        raise BadConfiguration(f"{key}.content_type: {pattern!r}; write `image/*`, `application/pdf` or `*/*`")
    if not isinstance(name, str) or not name:
        raise BadConfiguration(f"{key}.name: {name!r}; write a pattern such as `**` or `invoices/*.pdf`")
    if not isinstance(wanted, list) or not wanted:
        raise BadConfiguration(f"{key}.steps: {wanted!r}; list at least one of {_listed(steps)}")
    for step in wanted:
        if not isinstance(step, str) or step not in steps:
            raise BadConfiguration(f"{key}.steps: {step!r} is not a step; there is {_listed(steps)}")
    return Route(pattern, name, tuple(wanted))


def _table(table: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = table.get(key)
    if not isinstance(value, dict) or not value:
        raise BadConfiguration(f"{key}: there is none; write a table [{key}.<name>]")
    return value


def _check_name(key: str, name: str, pattern: str) -> None:
    if not re.fullmatch(pattern, name):
        raise BadConfiguration(f"{key}: a name takes lower-case letters, digits and hyphens ({pattern})")


def _exactly(value: Any, key: str, keys: list[str]) -> None:
    _only(value, key, tuple(keys))
    for missing in (name for name in keys if name not in value):
        raise BadConfiguration(f"{key}.{missing}: is missing")


def _only(value: Any, key: str, keys: tuple[str, ...]) -> None:
    if not isinstance(value, dict):
        raise BadConfiguration(f"{key}: {value!r} is not a table")
    for unknown in (name for name in value if name not in keys):
        raise BadConfiguration(f"{key}{'.' if key else ''}{unknown}: unknown; known here: {', '.join(keys)}")


def _listed(names: Mapping[str, Any]) -> str:
    return ", ".join(sorted(names)) or "none"


_WILDCARDS: Mapping[str, str] = {"**": ".*", "*": "[^/]*", "?": "[^/]"}


def _matches(pattern: str, text: str) -> bool:
    part: Callable[[re.Match[str]], str] = lambda found: _WILDCARDS.get(found[0]) or re.escape(found[0])  # noqa: E731
    return re.fullmatch(re.sub(r"\*\*|\*|\?|.", part, pattern, flags=re.DOTALL), text, re.DOTALL) is not None
