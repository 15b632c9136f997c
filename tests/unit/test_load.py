"""The limits of `make load`: what keeps them, and what each of them finds."""

from collections.abc import Iterable

import pytest

from benchmarks.loads import judging
from benchmarks.loads.judging import Look, Rate, Row

SLOW = {"slow": Rate(4, 10)}


def looks(counts: list[int], memory: list[int] | None = None, period: float = 1.0) -> list[Look]:
    """A look each period, which takes a hundredth of it; these dispatches so far, and this memory."""
    sizes = memory or [100] * len(counts)
    return [
        Look(number * period, (number + 0.01) * period, number, {"slow": count}, {"cloud": size})
        for number, (count, size) in enumerate(zip(counts, sizes, strict=True))
    ]


def only(rows: Iterable[Row]) -> Row:
    (row,) = rows
    return row


def test_a_queue_may_spend_its_burst_and_then_its_rate() -> None:
    assert only(judging.rates(looks([0, 14, 18, 22, 26]), SLOW)).is_kept


@pytest.mark.parametrize("counts", [[0, 16, 16, 16], [0, 5, 10, 15, 20, 25, 30, 35, 40, 45, 50, 55], [0, 0, 0, 0, 0, 16]])
def test_a_queue_that_is_too_fast_for_any_period_is_found(counts: list[int]) -> None:
    assert not only(judging.rates(looks(counts), SLOW)).is_kept


def test_a_rest_earns_no_more_than_the_burst() -> None:
    rest = [0] * 100

    assert only(judging.rates(looks([*rest, 14]), SLOW)).is_kept
    assert not only(judging.rates(looks([*rest, 15]), SLOW)).is_kept


def test_slow_looks_do_not_count_against_a_queue() -> None:
    slow = [Look(0, 0, 0, {}, {}), Look(1, 3, 1, {"slow": 22}, {})]

    assert only(judging.rates(slow, SLOW)).is_kept


def test_memory_may_grow_by_a_tenth() -> None:
    steady = looks([0] * 101, [*[50] * 5, *[100] * 90, *[110] * 6])
    leaking = looks([0] * 101, [*[50] * 5, *[100] * 90, *[111] * 6])

    assert only(judging.memory(steady)).is_kept
    assert not only(judging.memory(leaking)).is_kept


def test_cpu_may_not_grow_with_the_files() -> None:
    first = {"cloud": 3.0, "processor": 7.0, "sweeper": 1.0}

    assert only(judging.cpu(first, {"cloud": 4.0, "processor": 7.4, "sweeper": 9.0}, 1000)).is_kept
    assert only(judging.cpu(first, {"cloud": 4.0, "processor": 7.6, "sweeper": 1.0}, 1000)).is_kept is False


def test_cpu_of_few_files_is_not_judged() -> None:
    row = only(judging.cpu({"cloud": 3.0}, {"cloud": 6.0}, 999))

    assert row.is_kept is None
    assert row.figure.startswith("3.00 → 6.00 × bare")


def test_cpu_too_short_for_the_system_s_clock_has_no_ratio() -> None:
    row = only(judging.cpu({"cloud": 0.0, "status": 0.0}, {"cloud": 0.0, "status": 2.0}, 100))

    assert row.figure == "0.00 → 2.00 × bare (too short to measure)"


def test_each_door_has_a_limit_that_a_slow_machine_widens() -> None:
    idle = {"issuer": [5.0] * 100, "upload": [5.0] * 100, "status": [90.0] * 100}
    took = {
        "issuer": [*[9.0] * 98, 201.0, 201.0],
        "upload": [*[9.0] * 98, 1000.0, 5000.0],
        "status": [*[9.0] * 98, 899.0, 899.0],
    }

    kept = {row.title: row.is_kept for row in judging.doors(took, idle)}

    assert kept == {"issuer, p99": False, "upload, p99": True, "status, p99": True}


@pytest.mark.parametrize(
    ("entries", "is_kept"),
    [
        ([("succeeded", "a"), ("succeeded", "b")], True),
        ([("succeeded", "a"), ("succeeded", "b"), ("failed", "of another program")], True),
        ([("succeeded", "a")], False),
        ([("succeeded", "a"), ("succeeded", "a")], False),
        ([("succeeded", "a"), ("dead", "b")], False),
        ([("succeeded", "a"), ("succeeded", "b"), ("failed", "b")], False),
        ([("succeeded", "a"), ("succeeded", "a"), ("succeeded", "b")], False),
    ],
)
def test_each_file_has_exactly_one_verdict(entries: list[tuple[str, str]], is_kept: bool) -> None:
    assert only(judging.verdicts(["a", "b"], entries)).is_kept is is_kept
