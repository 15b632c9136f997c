"""`./sluice guard`: what it lists, what it lifts, and its exit codes."""

import json
from dataclasses import replace

from shared.operations.guard import EVERY, Day, enforce
from shared.testing import FakeCloud
from tests.cli.conftest import Send, Sluice, Work


def test_the_way_out_of_a_false_alarm(sluice: Sluice, cloud: FakeCloud, send: Send, work: Work, picture: bytes) -> None:
    cloud.settings = replace(cloud.settings, guard_files_per_day=1)
    first = send("a.png", picture)
    work()
    day = Day(first.generation)
    for number in range(2):
        day.add(f"{number}-{first.generation}")
    enforce(day, cloud)
    send("b.png", picture)
    assert [row["name"] for row in json.loads(sluice("ls", "--reason", "guard", "--format", "json").out)] == []  # not seen yet
    cloud.guard = type(cloud.guard)(cloud.results)
    send("c.png", picture)
    listed = sluice("guard", "ls", "--format", "json")

    assert json.loads(listed.out) == [
        {
            "day": "2023-11-14",
            "key": "files",
            "object": EVERY,
            "count": 2,
            "ceiling": 1,
            "is_lifted": False,
        }
    ]
    assert sluice("guard", "lift", "--format", "name").lines == [EVERY]
    assert sluice("resume", "--all").code == 0
    assert "c.png" in sluice("rerun", "--reason", "guard", "--yes").out
    work()
    assert {row["verdict"] for row in json.loads(sluice("ls", "--format", "json").out)} == {"succeeded"}
    assert "lifted" in sluice("guard", "ls").out


def test_a_name_that_it_does_not_skip_is_not_found(sluice: Sluice) -> None:
    assert sluice("guard", "ls").err == "the runaway guard skips nothing\n"
    assert sluice("guard", "lift").err == "there was nothing to lift\n"

    done = sluice("guard", "lift", "cat.png")

    assert (done.code, "./sluice guard ls" in done.err) == (3, True)
