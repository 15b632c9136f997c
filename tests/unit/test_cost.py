"""The benchmark's price of a file, and the verdicts on its calls."""

import pytest

from benchmarks import goals, prices
from benchmarks.cost import rows

WRITE = ("storage", "objects.insert (multipart)", "results")
READ = ("storage", "objects.get (media)", "uploads")
LIST = ("storage", "objects.list", "results")


@pytest.mark.parametrize(
    ("call", "service", "price"),
    [
        (WRITE, "class A", 5.0),
        (LIST, "class A", 5.0),
        (("storage", "XML: PUT object", "uploads"), "class A", 5.0),
        (READ, "class B", 0.4),
        (("storage", "objects.get", "uploads"), "class B", 0.4),
        (("storage", "XML: HEAD object", "uploads"), "class B", 0.4),
        (("tasks", "tasks.create", "images"), "Cloud Tasks", 0.4),
        (("tasks", "dispatch", "images"), "Cloud Tasks", 0.4),
    ],
)
def test_a_call_per_file_has_the_list_price_of_a_million(call: tuple[str, str, str], service: str, price: float) -> None:
    dollars = prices.dollars({call: 1.0}, notice_bytes=0)

    assert dollars[service] == price
    assert sum(dollars.values()) == pytest.approx(price + dollars["Pub/Sub"])


def test_the_calls_of_all_buckets_are_priced() -> None:
    reads = {READ: 1.0, ("storage", "objects.get (media)", "results"): 2.0}

    assert prices.dollars(reads, notice_bytes=0)["class B"] == pytest.approx(1.2)


def test_a_small_notice_is_priced_as_1000_bytes() -> None:
    assert prices.dollars({}, notice_bytes=10) == prices.dollars({}, notice_bytes=1000)
    assert prices.dollars({}, notice_bytes=5000)["Pub/Sub"] == pytest.approx(12_000 * 1e6 / 2**40 * 40)


def test_a_picture_may_write_its_outputs_one_manifest_and_one_entry() -> None:
    verdicts = {number: verdict_on(WRITE, {WRITE: number}) for number in (5.0, 5.01)}

    assert verdicts == {5.0: True, 5.01: False}


def test_a_call_that_no_goal_names_misses_its_goal() -> None:
    assert verdict_on(LIST, {LIST: 0.005}) is False


def verdict_on(call: tuple[str, str, str], calls: dict[tuple[str, str, str], float]) -> bool:
    """Whether the goal of the call is met by a picture with three outputs."""
    found = [row for row in rows(calls, 3) if (row["service"], row["operation"], row["place"]) == call]
    return bool(found[0]["is_met"])


@pytest.mark.parametrize(("spent_ms", "word"), [(54.0, "met"), (54.1, "MISSED")])
def test_a_slower_machine_has_a_longer_cpu_goal(spent_ms: float, word: str) -> None:
    verdict = goals.verdict(spent_ms, goal_ms=27, scale=2)

    assert verdict == f"goal ≤ 27 ms × 2.00 for this machine = 54.0 ms: {word}"
