"""Faults that happen before an effect. Each acts on the simulation, or raises in the place of the delivery."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from shared import guard as guarding
from shared.errors import Unavailable
from tests.proof.deliveries import OPERATOR, UPLOAD, Actor, Delivery
from tests.proof.scripted import Killed

if TYPE_CHECKING:
    from tests.proof.world import World

T = TypeVar("T")
#: Two deliveries that wait for each other would wait for ever.
MAX_TURNS = 20
#: The ids of the operators' requests for another run.
REQUESTS = ("one", "two", "fresh one", "three", "fresh two", "one")


@dataclass(frozen=True)
class Moment:
    """A delivery that is about to have the effect `label`; `pick` chooses among the possibilities."""

    world: "World"
    actor: Actor
    label: str
    pick: int

    def of(self, choices: list[T]) -> T | None:
        """The chosen one, or None where there is no choice."""
        return choices[self.pick % len(choices)] if choices else None

    def give_way(self) -> None:
        """Let the delivery that was put first in line begin."""
        self.world.hand_over(self.actor, len(self.world.actors) - 1)


def crash(moment: Moment) -> None:
    """End the process."""
    raise Killed("planted")


def exhaust(moment: Moment) -> None:
    """End the process and lose the task: the attempts of its queue were used up."""
    moment.actor.is_lost = True
    raise Killed("planted")


def abandon(moment: Moment) -> None:
    """End the process; if it is an operator's, they do not ask again."""
    moment.actor.is_lost |= moment.actor.delivery.label.startswith(OPERATOR)
    raise Killed("planted")


def unavailable(moment: Moment) -> None:
    """Refuse the effect."""
    unsure(moment)
    raise Unavailable("unavailable (planted); retry")


def unsure(moment: Moment) -> None:
    """Lose the answer: the effect takes place, and then its caller hears of a failure."""
    moment.world.checks.refused(moment.actor.delivery.task, moment.label)


def switch(moment: Moment) -> None:
    """Let another delivery go on or begin."""
    moment.world.hand_over(moment.actor, moment.pick)


def stall(moment: Moment) -> None:
    """Let all others go on to their end: a slow delivery."""
    for _ in range(MAX_TURNS):
        if len(moment.world.actors) > 1 or moment.world.waiting:
            moment.world.hand_over(moment.actor, moment.pick)


def reorder(moment: Moment) -> None:
    """Deliver another one first of those that wait."""
    waiting = moment.world.waiting
    turn = moment.pick % len(waiting) if waiting else 0
    moment.world.waiting = waiting[turn:] + waiting[:turn]


def duplicate(moment: Moment) -> None:
    """Deliver a task again that was delivered before, or is now, and let it begin."""
    under_way = [one.delivery for one in moment.world.actors if one.delivery.task]
    again = moment.of(under_way + moment.world.delivered)
    if again:
        number = again.number + moment.pick % 2  # the queue may not have counted the delivery that it repeats
        moment.world.waiting.insert(0, Delivery(f"{again.label} repeated", again.act, again.task, number))
        moment.give_way()


def redeliver(moment: Moment) -> None:
    """Deliver a notification of an upload again."""
    file = moment.of(list(moment.world.checks.files.values()))
    if file:
        moment.world.notify(file)


def rerun(moment: Moment) -> None:
    """Ask for another run of a file. The same request may come twice, also at once."""
    file = moment.of(list(moment.world.checks.files.values()))
    if file:
        moment.world.ask(file, REQUESTS[moment.pick % len(REQUESTS)], moment.pick)


def cancel(moment: Moment) -> None:
    """Cancel a file, and let that begin."""
    file = moment.of(list(moment.world.checks.files.values()))
    if file:
        moment.world.cancel(file)
        moment.world.waiting.insert(0, moment.world.waiting.pop())
        moment.give_way()


def configure(moment: Moment) -> None:
    """Change pipeline.toml."""
    moment.world.configured = moment.pick % len(moment.world.plans)


def guard(moment: Moment) -> None:
    """Have the runaway guard skip the uploads of the day or of an object from now on; the next time, lift that."""
    world = moment.world
    file = moment.of(list(world.checks.files.values()))
    if file:
        mark = guarding.folder(guarding.day_of(file.generation)) + (guarding.FILES, file.file_id)[moment.pick % 2]
        world.cloud.results.inner.put(mark + guarding.LIFTED if mark in world.cloud.results.inner.versions else mark, b"{}")
        world.cloud.guard = guarding.Guard(world.cloud.results)


def forget(moment: Moment) -> None:
    """Forget the names of tasks that have ended, as queues do after hours."""
    world = moment.world
    live = {one.task.name for one in (*world.waiting, *(other.delivery for other in world.actors)) if one.task}
    names = world.cloud.queue.inner.added
    for name in [name for name, task in names.items() if task.name not in live]:
        del names[name]


def lose(moment: Moment) -> None:
    """Lose a message or a task that waits."""
    lost = moment.of([one for one in moment.world.waiting if one.label != UPLOAD])
    if lost:
        moment.world.waiting.remove(lost)


def overwrite(moment: Moment) -> None:
    """Upload a newer generation of a file."""
    files = list(moment.world.checks.files.values())
    file = moment.of(files)
    if file:
        moment.world.upload(file.name, b"newer %d" % len(files), file.metadata)
        moment.world.checks.vanished.add(file.file_id)


def delete(moment: Moment) -> None:
    """Delete a file."""
    file = moment.of(list(moment.world.checks.files.values()))
    if file:
        moment.world.cloud.uploads.inner.versions.pop(file.name, None)
        moment.world.checks.vanished.add(file.file_id)


def healing(moment: Moment) -> None:
    """Sweep while deliveries are under way."""
    moment.world.sweep()
    moment.give_way()


KINDS: dict[str, Callable[[Moment], None]] = {
    one.__name__: one
    for one in (
        *(crash, exhaust, abandon, unavailable, unsure, switch, stall, reorder, duplicate, redeliver),
        *(rerun, cancel, configure, guard, forget, lose, overwrite, delete, healing),
    )
}
