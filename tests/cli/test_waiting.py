"""`./sluice show` and `queues` about what waits: the next try, the remedy of a lost task, the age of the oldest."""

from datetime import UTC, datetime, timedelta

import pytest

from cli import texts
from cli.queues import COLUMNS
from shared.model import Json

NOW = datetime(2026, 11, 28, 10, 30, tzinfo=UTC)
OLDEST = next(column for column in COLUMNS if column.title == "OLDEST")


def printed(remedy: Json | None = None, **step: object) -> list[str]:
    """The lines about a file of which a step waits in its queue."""
    waiting: Json = {"state": "queued", "step": "digest", "queue": "files", "deliveries": 0, "attempt": 0, "attempts": 5}
    facts: Json = {"state": "done", "verdict": "succeeded", "step": "facts", "queue": "files"}
    file = {"object": "a", "content_type": "text/plain", "size": 1, "generation": "1700000000000001"}
    state = {"run": 0, "state": "processing", "since": NOW.isoformat(), "job_id": "j"}
    run = {**file, **state, "steps": [facts, waiting | step], **({"remedy": remedy} if remedy else {})}
    return texts.of_file({"runs": [run], "older": ""}, NOW).splitlines()


def shown(**step: object) -> str:
    """The line of the step that waits."""
    return printed(None, **step)[-1]


@pytest.mark.parametrize(
    ("seconds", "is_paused", "text"),
    [
        (60, False, "next try 2026-11-28 10:31:00"),
        (-60, False, "due since 2026-11-28 10:29:00"),
        (-60, True, "its queue is paused"),
    ],
)
def test_a_try_in_the_past_is_not_called_the_next(seconds: int, is_paused: bool, text: str) -> None:
    time = (NOW + timedelta(seconds=seconds)).isoformat()

    assert shown(next=time, queue_is_paused=is_paused).endswith(f"  {text}")


def test_a_delivery_without_an_error_of_its_own_has_the_answer_beside() -> None:
    error = {"message": "the disk is full", "attempt": 1, "delivery": 2, "time": ""}

    assert shown(deliveries=2, answer="INTERNAL", error=error).endswith("  last error: the disk is full")
    assert shown(deliveries=3, answer="PERMISSION_DENIED", error=error).endswith(
        "  last error: the disk is full, delivery 3 was answered PERMISSION_DENIED"
    )


def test_a_lost_task_is_named_and_its_remedy_follows_the_steps() -> None:
    remedy = {"steps": ["digest"], "when": "if this stays so", "commands": ["./sluice resume a b", "./sluice sweep"]}
    step, end = printed(remedy, state="waiting")[-2:]

    assert step == "  waiting    digest  files                         its queue has no task of it yet"
    assert end == "  if this stays so: ./sluice resume a b && ./sluice sweep"


def test_a_remedy_without_a_command_is_a_sentence() -> None:
    assert (
        printed({"steps": [], "when": "it was \x1b replaced", "commands": []}, state="waiting")[-1] == "  it was \\x1b replaced"
    )
    assert shown(state="waiting").endswith("  files")


@pytest.mark.parametrize(
    ("depth", "running", "seconds", "age"), [(3, 1, -60, "1m"), (1, 1, -60, ""), (0, 0, -60, ""), (2, 0, 60, "")]
)
def test_the_oldest_has_an_age_only_where_a_task_waits_that_is_due(depth: int, running: int, seconds: int, age: str) -> None:
    oldest = (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()

    assert OLDEST.text({"depth": depth, "running": running, "oldest": oldest}) == age
