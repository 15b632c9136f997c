"""Healing one run that a sweep found without an index entry: queue it again, unless its tasks are still there.

A sweep queues under the number of its day, and whatever that leads to inherits it: the queue refuses a recent name, so a second
sweep of the day adds nothing. A swept task looks for its manifest first: what has ended is finished, not worked again.
"""

from collections.abc import Callable, Sequence
from typing import Literal

from shared import ledger, pipeline
from shared.cloud.protocols import Cloud
from shared.ledger import Manifests
from shared.manifest import Claim
from shared.model import File, Run
from shared.plan import Plan, Task

#: `queued` again. Else left alone: a task of it is in its queue (`waiting`), or its queue is `paused`.
State = Literal["queued", "waiting", "paused"]
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
    if found:
        pipeline.settle(found, cloud, sweeps[-1])
    else:
        pipeline.enlist(run, plan, cloud, sweeps[-1])
    return "queued"


def claim(claimed: Claim, sweeps: Sequence[int], cloud: Cloud, is_paused: IsPaused) -> State:
    """Heal a later run: under the plan of its claim, with what that adopts. Raises `Unavailable`."""
    if state := at_work(claimed.run, claimed.plan, sweeps, cloud, is_paused):
        return state
    pipeline.enlist(claimed.run, claimed.plan, cloud, sweeps[-1], claimed.adopted)
    return "queued"


def at_work(run: Run, plan: Plan, sweeps: Sequence[int], cloud: Cloud, is_paused: IsPaused) -> State | None:
    """Why this run is left alone: a task without a manifest waits under one of its names, or cannot move."""
    manifests = Manifests(cloud.results, run, plan)
    left = [place for place in plan.places if not manifests.find(place)]
    if any(is_paused(place.queue) for place in left):
        return "paused"
    tasks = (Task(run, plan, place, number) for place in left for number in (0, *sweeps))
    return "waiting" if any(cloud.queue.find(task) for task in tasks) else None
