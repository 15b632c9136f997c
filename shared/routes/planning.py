"""A file → its plan, by the checked pipeline.toml."""

import functools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from shared.model import File
from shared.plan import Plan
from shared.routes import order, per_file, refusals
from shared.routes.definitions import TESTS, Pool, Queue, Route, Step
from shared.routes.webhooks import Webhook

#: Plans that are kept with their ids and tasks: files without options of their own share them.
MAX_KEPT_PLANS = 256
NO_METADATA: Mapping[str, str] = {}
#: For each route that a file takes, its index and the steps.
Taken = tuple[tuple[int, tuple[str, ...]], ...]


@dataclass(frozen=True)
class Routes:
    """A checked pipeline.toml. Each of the `steps` is listed after those that it comes after."""

    pools: Mapping[str, Pool]
    queues: Mapping[str, Queue]
    steps: Mapping[str, Step]
    routes: tuple[Route, ...]
    webhooks: Mapping[str, Webhook] = field(default_factory=dict)

    def plan(self, file: File) -> Plan:
        """The steps of every matching route and all that those come after; empty when no route takes the file."""
        passed = self._passed(file.content_type, file.name, file.metadata, file.size)
        taken = [
            (index, self.routes[index].chosen(file.metadata)) for index, number in enumerate(passed) if number == len(TESTS)
        ]
        plan = self._kept(tuple(taken))
        if not per_file.concerns(file.metadata):
            return plan
        on_request = {step for index, chosen in taken if self.routes[index].on_request for step in chosen}
        return per_file.applied(plan, self.steps, file.metadata, on_request)

    def whole_plan(self, indexes: Iterable[int]) -> Plan:
        """The plan of a file that takes every step of these routes."""
        return self._planned(tuple((index, self.routes[index].steps) for index in sorted(indexes)))

    def pool(self, queue: str) -> Pool:
        """The pool that the tasks of this queue are sent to.

        A queue that is not in this pipeline.toml is one of another release: its tasks are sent to the pool with the longest
        deadline, which ends most of them, in place of a pool that may be gone.
        """
        if queue in self.queues:
            return self.pools[self.queues[queue].pool]
        return max(self.pools.values(), key=lambda pool: (pool.deadline_seconds, pool.memory_bytes))

    def go_by_bytes(self, name: str, metadata: Mapping[str, str], size: int | None = None) -> bool:
        """Whether the first bytes of such a file decide its content type: a route asks for it that could take the file."""
        return any(route.goes_by_bytes(name, metadata, size) for route in self.routes)

    def why_not(self, content_type: str, name: str, metadata: Mapping[str, str] = NO_METADATA, size: int | None = None) -> str:
        """The reason why no route takes such a file, with what routes accept; empty when one does.

        A file whose size is not known passes every `max_bytes`.
        """
        passed = self._passed(content_type, name, metadata, size)
        furthest = max(passed)
        if furthest == len(TESTS):
            return ""
        nearest = [route for route, number in zip(self.routes, passed, strict=True) if number == furthest]
        return refusals.sentence(TESTS[furthest], nearest, content_type)

    def _passed(self, content_type: str, name: str, metadata: Mapping[str, str], size: int | None) -> list[int]:
        return [route.passed(content_type, name, metadata, size) for route in self.routes]

    @functools.cached_property
    def _kept(self) -> Callable[[Taken], Plan]:
        return functools.lru_cache(MAX_KEPT_PLANS)(self._planned)

    def _planned(self, taken: Taken) -> Plan:
        queues: dict[str, str] = {}  # of each step, the queue of a route, or none
        for index, chosen in taken:
            queue = self.routes[index].queue
            for name in self._with_before(chosen):
                queues[name] = min(filter(None, (queue, queues.get(name))), default="")
        steps = (step for name, step in self.steps.items() if name in queues)
        return Plan(tuple(step.planned(self.queues.get(queues[step.name], step.queue)) for step in steps))

    def _with_before(self, steps: tuple[str, ...]) -> set[str]:
        return {*steps, *(name for step in steps for name in self._before[step])}

    @functools.cached_property
    def _before(self) -> Mapping[str, frozenset[str]]:
        return order.before({name: step.after for name, step in self.steps.items()})
