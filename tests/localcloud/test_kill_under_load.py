"""`kill -9` at random moments under load: every acknowledged write is still there.

The guarantees, by their documentation: an object whose upload was answered is stored, and an upload session keeps the bytes
it has acknowledged; a published message is delivered at least once, and, on a subscription with exactly-once delivery, never
again after its acknowledgement was confirmed; a created task is dispatched at least once. Time is the machine's own here.
"""

from operator import ge
from pathlib import Path
from random import Random

import pytest

from tests.eventually import eventually
from tests.localcloud.load import BUCKET, QUEUE, loading
from tests.localcloud.target import Target, listening
from tests.machine import Machine, running

SEED = 4
KILLS = 4
#: After `KILLS` kills, more follow until one has interrupted an upload session.
MOST_KILLS = 16
#: Range of acknowledgements of each kind between a start and the next kill; the number is random.
BETWEEN = (5, 60)


@pytest.mark.long
def test_nothing_acknowledged_is_lost_when_the_cloud_is_killed_again_and_again(tmp_path: Path) -> None:
    chance = Random(SEED)
    with (
        listening() as target,
        running(Machine(tmp_path / "data", cloud_only=True)) as machine,
        loading(machine.environment, target.url, SEED) as (load, clients),
    ):
        ledger = load.ledger
        for kill in range(MOST_KILLS):
            if kill >= KILLS and ledger.resumed:
                break
            enough = [size + chance.randint(*BETWEEN) for size in ledger.sizes()]
            eventually(lambda enough=enough: all(map(ge, ledger.sizes(), enough)))  # type: ignore[misc]
            _hold_some(target)
            machine.kill()
            ledger.kills += 1
            target.gate.set()
            machine.start()
        load.stop()

        eventually(lambda: ledger.published <= ledger.confirmed | ledger.unsure)
        eventually(lambda: ledger.tasks <= _dispatched(target) and not list(clients.tasks.list_tasks(parent=QUEUE)))
        stored = {blob.name: blob.download_as_bytes() for blob in clients.storage.list_blobs(BUCKET)}

        assert {name for name, data in ledger.uploads.items() if stored.get(name) != data} == set()
        assert (ledger.shrunk, ledger.returned) == ([], [])
        assert ledger.resumed > 0
        assert ledger.published <= set(ledger.received)


def _hold_some(target: Target) -> None:
    """Return with some tasks in flight: the target has received them and does not answer."""
    target.gate.clear()
    enough = len(target.received) + 5
    eventually(lambda: len(target.received) >= enough)


def _dispatched(target: Target) -> set[str]:
    return {request.headers["X-CloudTasks-TaskName"] for request in list(target.received)}
