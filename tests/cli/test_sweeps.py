"""`./sluice sweep`: what it counts, what it notes, and its exit code."""

import json
import time
from dataclasses import replace
from itertools import count

import pytest

from shared import ledger
from shared.model import Run
from shared.testing import FakeCloud
from tests.cli.conftest import Send, Sluice, Work


@pytest.fixture
def now_sent(cloud: FakeCloud, send: Send) -> Send:
    """Sends files of the last moments, which a sweep looks at."""
    cloud.settings = replace(cloud.settings, sweep_after_seconds=0)
    cloud.uploads._generations = count((int(time.time()) - 1) * 10**6)
    return send


def test_the_uploads_are_read_and_an_outage_is_told(sluice: Sluice, cloud: FakeCloud, send: Send) -> None:
    send("years-ago.png", b"no picture")
    done = sluice("sweep", "--format", "json")

    assert (done.code, done.err) == (0, "read 1 uploads, 0 index entries, 0 later runs\n")
    assert [row["jobs"] for row in json.loads(done.out)] == [0] * 6
    cloud.results.broken.add("names")
    assert sluice("sweep").code == 4


def test_a_strange_queue_is_noted(sluice: Sluice, cloud: FakeCloud) -> None:
    cloud.queue.existing = {"images", "slow", "webhook-orders", "renamed"}

    assert sluice("sweep").err.startswith("warning: queues that pipeline.toml does not have (queues renamed)\n")


def test_a_file_that_is_not_healed_is_named(sluice: Sluice, cloud: FakeCloud, now_sent: Send) -> None:
    file = now_sent("a\x1b.png", b"no picture")
    cloud.results.create(ledger.job_name(Run(file)), "application/json", b"no manifest")
    done = sluice("sweep")

    assert done.code == 1
    assert "not healed" in done.err
    assert "(object a\\x1b.png)\n" in done.err


def test_the_guard_says_what_it_skips_and_which_queues_it_paused(
    sluice: Sluice, cloud: FakeCloud, now_sent: Send, work: Work, picture: bytes
) -> None:
    cloud.settings = replace(cloud.settings, guard_runs_per_object=1)
    for _ in range(2):
        now_sent("a.png", picture)
        work()
    done = sluice("sweep")

    assert done.err.splitlines()[0] == (
        "error: runaway guard: files are skipped (object a.png, count 2, ceiling 1, paused images)"
    )
    assert "./sluice guard ls" in done.err.splitlines()[-1]
    assert "guard" not in sluice("sweep").err
