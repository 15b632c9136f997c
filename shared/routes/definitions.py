"""The nouns of pipeline.toml: pools, queues, steps and routes; which files take a route."""

import functools
import itertools
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from shared import media, sweep_part
from shared.model import Limits, Recipe
from shared.plan import Condition, PlannedStep

#: The metadata key by which a file asks for steps on request: a comma-separated list.
REQUEST = "sluice-steps"


@dataclass(frozen=True, slots=True)
class Pool:
    """A service of the processor: the size and number of its instances, and the requests of each at once.

    `cpu` counts CPUs. A delivery ends within `deadline_seconds`.
    """

    name: str
    cpu: int
    memory_bytes: int
    concurrency: int
    max_instances: int
    deadline_seconds: int


#: The only pool of a pipeline.toml without pools.
DEFAULT_POOL = Pool("default", cpu=2, memory_bytes=4 << 30, concurrency=3, max_instances=5, deadline_seconds=540)


@dataclass(frozen=True, slots=True)
class Queue:
    """A Cloud Tasks queue: its rate, its retries, and the name of the pool that its tasks are sent to.

    `attempts` are those of each step of a task. The delivery after them records the verdict `dead`.
    """

    name: str
    max_dispatches_per_second: float
    max_concurrent_dispatches: int
    attempts: int
    min_backoff_seconds: float
    max_backoff_seconds: float
    pool: str = DEFAULT_POOL.name


#: The queue of the sweeper's parts and pages: two at once, so that a page need not wait for a part. It is the deployment's own.
SWEEPER = Queue(sweep_part.QUEUE, 1.0, 2, attempts=100, min_backoff_seconds=10, max_backoff_seconds=3600)


@dataclass(frozen=True, slots=True)
class Step:
    """A recipe with the configured options, its queue, limits and order. A file may set the options in `per_file`."""

    recipe: Recipe
    queue: Queue
    limits: Limits
    after: tuple[str, ...] = ()
    when: Condition | None = None
    per_file: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.recipe.step

    def planned(self, queue: Queue) -> PlannedStep:
        """The step of a plan in this queue, with the configured options."""
        return PlannedStep(self.recipe, queue.name, queue.attempts, self.after, self.when, limits=self.limits)


@dataclass(frozen=True, slots=True)
class Route:
    """The steps of the files that match. In a name, `*` stops at a slash and `**` does not.

    A file must have the keys and values of `metadata`. `max_bytes` 0 means any size. With `on_request`, a file takes only the steps
    that its metadata asks for. `queue` replaces the queue of the steps and of those that they come after. With `by_bytes`, a
    file's first bytes decide its content type.
    """

    content_types: tuple[str, ...]
    names: tuple[str, ...]
    steps: tuple[str, ...]
    queue: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    max_bytes: int = 0
    on_request: bool = False
    by_bytes: bool = False

    def passed(self, content_type: str, name: str, metadata: Mapping[str, str], size: int | None) -> int:
        """The number of tests in `TESTS` that a file passes before it fails one; an unknown size passes."""
        return sum(1 for _ in itertools.takewhile(bool, self._tests(content_type, name, metadata, size)))

    def goes_by_bytes(self, name: str, metadata: Mapping[str, str], size: int | None) -> bool:
        """Whether such a file passes all tests but that of its content type, and its bytes decide that."""
        return self.by_bytes and all(itertools.islice(self._tests("", name, metadata, size), 1, None))

    def _tests(self, content_type: str, name: str, metadata: Mapping[str, str], size: int | None) -> Iterator[bool]:
        essence = media.essence(content_type)
        yield any(matches(pattern, essence) for pattern in self.content_types)
        yield any(matches(pattern, name) for pattern in self.names)
        yield all(metadata.get(key) == value for key, value in self.metadata.items())
        yield not size or not self.max_bytes or size <= self.max_bytes
        yield bool(self.chosen(metadata))

    def chosen(self, metadata: Mapping[str, str]) -> tuple[str, ...]:
        """The steps that a matching file with this metadata takes."""
        if not self.on_request:
            return self.steps
        asked = requested(metadata)
        return tuple(step for step in self.steps if step in asked)


#: The tests of a route, in their order.
TESTS = ("content_type", "name", "metadata", "max_bytes", "on_request")


def requested(metadata: Mapping[str, str]) -> list[str]:
    """The steps that a file asks for, each once."""
    names = (name.strip() for name in metadata.get(REQUEST, "").split(","))
    return [name for name in dict.fromkeys(names) if name]


_WILDCARDS: Mapping[str, str] = {"**": ".*", "*": "[^/]*", "?": "[^/]"}


def matches(pattern: str, text: str) -> bool:
    """Whether a pattern has this whole text: `*` stops at a slash, `**` does not, `?` is one character but a slash."""
    return _compiled(pattern).fullmatch(text) is not None


@functools.cache
def _compiled(pattern: str) -> re.Pattern[str]:
    part: Callable[[re.Match[str]], str] = lambda found: _WILDCARDS.get(found[0]) or re.escape(found[0])  # noqa: E731
    return re.compile(re.sub(r"\*\*|\*|\?|.", part, pattern, flags=re.DOTALL), re.DOTALL)
