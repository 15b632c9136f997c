"""`./sluice sweep`: what it counts, what it notes, and its exit code."""

import json

from shared.testing import FakeCloud
from tests.cli.conftest import Send, Sluice


def test_the_uploads_are_read_and_an_outage_is_told(sluice: Sluice, cloud: FakeCloud, send: Send) -> None:
    send("years-ago.png", b"no picture")
    done = sluice("sweep", "--format", "json")

    assert (done.code, done.err) == (0, "read 1 uploads, 0 index entries, 0 later runs\n")
    assert [row["jobs"] for row in json.loads(done.out)] == [0] * 6
    cloud.results.broken.add("names")
    assert sluice("sweep").code == 4


def test_a_strange_queue_is_noted(sluice: Sluice, cloud: FakeCloud) -> None:
    cloud.queue.existing = {"images", "slow", "webhook-orders", "renamed"}

    assert sluice("sweep").err.startswith("warning: queues that pipeline.toml does not have")
