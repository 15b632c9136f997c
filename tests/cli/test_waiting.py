"""`./sluice show` and `queues` about what waits: the next try, and the age of the oldest task."""

from datetime import UTC, datetime, timedelta

import pytest

from cli import texts
from cli.queues import COLUMNS
from shared.model import Json
from shared.sweep_part import WINDOW_DAYS

NOW = datetime(2026, 11, 28, 10, 30, tzinfo=UTC)
OLDEST = next(column for column in COLUMNS if column.title == "OLDEST")


def shown(*, run: int = 0, uploaded_days: float = 1, begun_days: float = 1, **step: object) -> str:
    """The line of a step that waits in its queue. The file was uploaded, and the run began, so many days ago."""
    generation = str(int((NOW - timedelta(days=uploaded_days)).timestamp() * 10**6))
    since = (NOW - timedelta(days=begun_days)).isoformat()
    waiting: Json = {"state": "queued", "step": "digest", "queue": "files", "deliveries": 0, "attempt": 0, "attempts": 5}
    facts: Json = {"state": "done", "verdict": "succeeded", "step": "facts", "queue": "files"}
    file = {"object": "a", "content_type": "text/plain", "size": 1, "generation": generation}
    state = {"run": run, "state": "processing", "since": since, "job_id": "j"}
    answer = {"runs": [{**file, **state, "steps": [facts, waiting | step]}], "older": ""}
    return texts.of_file(answer, NOW).splitlines()[-1]


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


@pytest.mark.parametrize(
    ("after", "text"),
    [
        ([], "its queue has no task of it yet; if this stays so: ./sluice sweep"),
        (["facts"], "its queue has no task of it yet; if this stays so: ./sluice sweep"),
        (["facts", "pages"], "files"),
    ],
)
def test_a_step_that_waits_for_no_other_may_be_lost(after: list[str], text: str) -> None:
    assert shown(state="waiting", after=after).endswith(f"  {text}")


@pytest.mark.parametrize(
    ("run", "uploaded_days", "begun_days", "command"),
    [
        (0, WINDOW_DAYS - 0.1, 1, "./sluice sweep"),
        (0, WINDOW_DAYS + 0.1, 1, "./sluice backfill NAME --yes"),
        (1, WINDOW_DAYS + 9, WINDOW_DAYS - 0.1, "./sluice sweep"),
        (1, WINDOW_DAYS + 9, WINDOW_DAYS + 0.1, "./sluice rerun NAME --yes"),
    ],
)
def test_a_run_that_is_too_old_for_sweeps_has_another_remedy(
    run: int, uploaded_days: float, begun_days: float, command: str
) -> None:
    line = shown(run=run, uploaded_days=uploaded_days, begun_days=begun_days, state="waiting", after=[])

    assert line.endswith(f"; if this stays so: {command}")


@pytest.mark.parametrize(
    ("depth", "running", "seconds", "age"), [(3, 1, -60, "1m"), (1, 1, -60, ""), (0, 0, -60, ""), (2, 0, 60, "")]
)
def test_the_oldest_has_an_age_only_where_a_task_waits_that_is_due(depth: int, running: int, seconds: int, age: str) -> None:
    oldest = (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()

    assert OLDEST.text({"depth": depth, "running": running, "oldest": oldest}) == age
