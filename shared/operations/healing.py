"""Healing one run that a sweep found without an index entry: queue it again, unless its tasks are still there.

A sweep queues under the number of its day, and whatever that leads to inherits it: the queue refuses a recent name, so a second
sweep of the day adds nothing. A swept task looks for its manifest first: what has ended is finished, not worked again.
"""

from collections.abc import Callable, Sequence
from typing import Literal

from shared import index, ledger, pipeline
from shared.cloud.protocols import Cloud
from shared.ledger import Manifests
from shared.manifest import Claim
from shared.model import File, Run
from shared.plan import Plan, Task

#: `queued` again. Else left alone: a task of it is in its queue (`waiting`), or its queue is `paused`, or refused its name: a sweep
#: of this day queued it before (`recent`). Or it has `ended`: there was nothing to queue.
State = Literal["queued", "waiting", "recent", "paused", "ended"]
IsPaused = Callable[[str], bool]


def upload(file: File, sweeps: Sequence[int], cloud: Cloud, is_paused: IsPaused) -> State:
    """Heal run 0 of a file: under the plan that stands in `job.json`, else under today's.

    `sweeps` are the numbers under which its tasks may wait; the last is this sweep's. Raises `Unavailable`.
    """
    run = Run(file)
    found = ledger.find(cloud.results, ledger.job_name(run))
    plan = found.plan if found else cloud.routes.plan(file)
    if state := at_work(run, plan, sweeps, cloud, is_paused):
        return state
    is_new = pipeline.settle(found, cloud, sweeps[-1]) if found else pipeline.enlist(run, plan, cloud, sweeps[-1])
    return _state(run, is_new, cloud)


def claim(claimed: Claim, sweeps: Sequence[int], cloud: Cloud, is_paused: IsPaused) -> State:
    """Heal a later run: under the plan of its claim, with what that adopts. Raises `Unavailable`."""
    if state := at_work(claimed.run, claimed.plan, sweeps, cloud, is_paused):
        return state
    is_new = pipeline.enlist(claimed.run, claimed.plan, cloud, sweeps[-1], claimed.adopted)
    return _state(claimed.run, is_new, cloud)


def _state(run: Run, is_new: bool, cloud: Cloud) -> State:
    if is_new:
        return "queued"
    return "ended" if index.has_entry(cloud.results, run) else "recent"


def at_work(run: Run, plan: Plan, sweeps: Sequence[int], cloud: Cloud, is_paused: IsPaused) -> State | None:
    """Why this run is left alone: a task without a manifest waits under one of its names, or cannot move."""
    manifests = Manifests(cloud.results, run, plan)
    left = [place for place in plan.places if not manifests.find(place)]
    if any(is_paused(place.queue) for place in left):
        return "paused"
    tasks = (Task(run, plan, place, number) for place in left for number in (0, *sweeps))
    return "waiting" if any(cloud.queue.find(task) for task in tasks) else None
