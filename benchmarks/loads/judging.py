"""The figures of a load beside the limits that it must keep. Pure."""

import math
import statistics
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.loads.doors import ISSUER, STATUS, UPLOAD

#: The slowest answer but one in a hundred, in milliseconds: the limit, or a multiple of the idle one where that is more.
P99_MS = {ISSUER: 200, UPLOAD: 1000, STATUS: 500}
IDLE_TIMES = 10
#: What a component may keep in memory more than early in the load, and what the last files may take more CPU than the first.
MEMORY_GROWTH, CPU_GROWTH = 1.10, 1.15
#: With fewer files, other work on the machine moves their CPU time by more than that.
LEAST_CPU_FILES = 1000
#: Memory is compared when this share of the files has ended, and when all have: medians of so many looks.
EARLY, LOOKS = 0.1, 5


@dataclass(frozen=True, slots=True)
class Row:
    """A figure beside its limit, as text, and whether it is kept; None where it is not judged."""

    title: str
    figure: str
    limit: str
    is_kept: bool | None


@dataclass(frozen=True, slots=True)
class Rate:
    """The limits of a queue: a bucket of `burst` tokens, to which `per_second` are added."""

    per_second: float
    burst: int


@dataclass(frozen=True, slots=True)
class Look:
    """Counts of a moment between `before` and `after`: ended files, dispatches by queue, bytes by component."""

    before: float
    after: float
    ended: int
    dispatches: Mapping[str, int]
    memory: Mapping[str, int]


def doors(took: Mapping[str, Sequence[float]], idle: Mapping[str, Sequence[float]]) -> Iterator[Row]:
    """The answers of each door under load."""
    for door, fixed in P99_MS.items():
        at_rest, loaded = p99(idle[door]), p99(took[door])
        limit = max(fixed, IDLE_TIMES * at_rest)
        words = f"{limit:.0f} ms" + (f" ({IDLE_TIMES} × idle)" if limit > fixed else "")
        figure = f"{loaded:.0f} ms, idle {at_rest:.0f} ms; {len(took[door])} answers"
        yield Row(f"{door}, p99", figure, words, loaded <= limit)


def rates(looks: Sequence[Look], limits: Mapping[str, Rate]) -> Iterator[Row]:
    """The dispatches of each queue: in any period at most its burst, and its rate times the period."""
    for queue, rate in limits.items():
        counts = [(look.before, look.after, look.dispatches.get(queue, 0)) for look in looks]
        beyond = _beyond(counts, rate.per_second)
        total = counts[-1][2] - counts[0][2]
        figure = f"{total} dispatches, at most {beyond:.0f} beyond the rate"
        yield Row(f"queue {queue}", figure, f"{rate.per_second:g}/s, burst {rate.burst}", beyond <= rate.burst)


def _beyond(counts: Sequence[tuple[float, float, int]], per_second: float) -> float:
    """The most dispatches of any period beyond the rate times its longest possible length."""
    most, least = 0.0, math.inf
    for before, after, count in counts:
        most = max(most, count - per_second * after - least)
        least = min(least, count - per_second * before)
    return most


def memory(looks: Sequence[Look]) -> Iterator[Row]:
    """The resident memory of each component, early in the load and at its end."""
    early, late = (_nearest(looks, share) for share in (EARLY, 1.0))
    for component in sorted({name for look in looks for name in look.memory}):
        first, last = (statistics.median(look.memory[component] for look in part) for part in (early, late))
        figure = f"{first / 1e6:.1f} → {last / 1e6:.1f} MB ({last / first:.2f})"
        yield Row(f"memory of {component}", figure, f"× {MEMORY_GROWTH:.2f}", last <= first * MEMORY_GROWTH)


def _nearest(looks: Sequence[Look], share: float) -> Sequence[Look]:
    """The looks at the time when this share of the files had ended."""
    wanted = looks[0].ended + share * (looks[-1].ended - looks[0].ended)
    return sorted(looks, key=lambda look: abs(look.ended - wanted))[:LOOKS]


def cpu(first: Mapping[str, float], last: Mapping[str, float], files: int) -> Iterator[Row]:
    """CPU per file before and after a load of so many: multiples of the bare processing beside it, without sweeps."""
    names = sorted(first.keys() - {"sweeper"})
    before, after = (sum(spent[name] for name in names) for spent in (first, last))
    parts = ", ".join(f"{name} {last[name] / first[name]:.2f}" for name in names if first[name] > before / 50)
    growth = f"{after / before:.2f}: {parts}" if before else "too short to measure"
    figure = f"{before:.2f} → {after:.2f} × bare ({growth})"
    if files < LEAST_CPU_FILES:
        yield Row("CPU per file", figure, f"none below {LEAST_CPU_FILES} files", None)
    else:
        yield Row("CPU per file", figure, f"× {CPU_GROWTH:.2f}", after <= before * CPU_GROWTH)


def verdicts(expected: Iterable[str], entries: Iterable[tuple[str, str]]) -> Iterator[Row]:
    """The files by their ids, and the (verdict, file id) of every index entry: each file has one, and it succeeded."""
    wanted = set(expected)
    found = [(verdict, file_id) for verdict, file_id in entries if file_id in wanted]
    times = Counter(file_id for _, file_id in found)
    lost, repeated = len(wanted - times.keys()), sum(count > 1 for count in times.values())
    by_verdict = Counter(verdict for verdict, _ in found)
    figure = ", ".join([*(f"{count} {verdict}" for verdict, count in by_verdict.items()), f"{lost} lost", f"{repeated} twice"])
    yield Row("verdicts", figure, f"{len(wanted)} succeeded", by_verdict == {"succeeded": len(wanted)} and not lost)


def p99(took: Sequence[float]) -> float:
    """The time that 99 of 100 answers keep."""
    return sorted(took)[math.ceil(len(took) * 0.99) - 1]
