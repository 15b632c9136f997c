"""Lists of jobs, against a plain sort of all files by their newest run."""

import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import index, manifest, pipeline
from shared import routes as routing
from shared import settings as configuration
from shared.errors import BadRequest, Unavailable
from shared.index import PROCESSING, Entry, State
from shared.manifest import Job
from shared.model import File, Run, Verdict
from shared.operations import listing
from shared.operations.listing import Query
from shared.plan import Task
from shared.testing import FakeCloud
from tests.conftest import ENVIRONMENT, PIPELINE
from tests.unit.pipeline.calls import Counted
from tests.unit.plans import CAT, plan, step

STEPS = plan(step("a", "images"))
TIME = "2026-01-15T10:00:00.000Z"
STATES: tuple[State, ...] = get_args(State)
NEWEST = 1_700_000_000_000_000


@dataclass(frozen=True)
class Known:
    """A file, the verdicts of its ended runs, and whether one more run is in work."""

    file: File
    verdicts: tuple[Verdict, ...]
    is_working: bool

    @property
    def newest(self) -> tuple[str, str]:
        """The id and state of its newest run."""
        run = Run(self.file, len(self.verdicts) - (not self.is_working))
        return run.job_id, PROCESSING if self.is_working else self.verdicts[-1]


def file(number: int, generation: int) -> File:
    return replace(CAT, name=f"{'invoices/2026/' if number % 3 else 'cats/'}{number}.jpg", generation=generation)


def add(known: Known, cloud: FakeCloud) -> None:
    """Leave in the cloud what the runs of this file leave there."""
    for number in range(1, len(known.verdicts) + known.is_working):
        index.claim(cloud.results, manifest.of_claim(Run(known.file, number), STEPS, {}, f"request-{number}", TIME))
    for number, verdict in enumerate(known.verdicts):
        index.write(cloud.results, ended(Run(known.file, number), verdict))
    if not known.verdicts:
        cloud.queue.add(Task(Run(known.file), STEPS, STEPS.first[0]))


def ended(run: Run, verdict: Verdict, reason: str = "") -> Job:
    return Job([manifest.of_no_task(run, verdict, reason, "", TIME)])


def world(cloud: FakeCloud, files: Iterable[Known]) -> list[Known]:
    """The cloud with these files; returns them newest first, by a plain sort."""
    known = list(files)
    for one in known:
        add(one, cloud)
    return sorted(known, key=lambda one: (-one.file.generation, one.file.file_id))


def pages(query: Query, cloud: FakeCloud, limit: int) -> Iterator[list[Entry]]:
    token = ""
    while True:
        page = listing.page(query, cloud, limit, token)
        yield list(page.jobs)
        if not page.next:
            return
        token = page.next


def listed(query: Query, cloud: FakeCloud, limit: int) -> list[tuple[str, str]]:
    """The id and state of all wanted jobs, over all pages, each of which but the last is full."""
    *full, last = pages(query, cloud, limit)
    assert all(len(page) == limit for page in full)
    return [(job.job_id, job.verdict) for page in (*full, last) for job in page]


@st.composite
def some_files(draw: st.DrawFn) -> list[Known]:
    verdicts = st.lists(st.sampled_from(index.VERDICTS), max_size=4).map(tuple)
    found = []
    for number in range(draw(st.integers(0, 12))):
        ended_runs, is_working = draw(verdicts), draw(st.booleans())
        generation = NEWEST - draw(st.integers(0, 8))
        found.append(Known(file(number, generation), ended_runs, is_working or not ended_runs))
    return found


SETTINGS, ROUTES = configuration.load(ENVIRONMENT), routing.load(PIPELINE)


@given(some_files(), st.sets(st.sampled_from(STATES)).map(tuple), st.integers(1, 5))
def test_any_files_are_listed_as_by_a_plain_sort(files: list[Known], wanted: tuple[State, ...], limit: int) -> None:
    cloud = FakeCloud(SETTINGS, ROUTES)
    known = world(cloud, files)

    found = listed(Query(wanted), cloud, limit)

    assert found == [one.newest for one in known if not wanted or one.newest[1] in wanted]


@pytest.fixture(scope="module")
def big() -> tuple[FakeCloud, list[Known]]:
    """5,000 files, one in eight of them with later runs, some of the same microsecond; and their plain sort."""
    dice, cloud = random.Random(9), FakeCloud(SETTINGS, ROUTES)
    files = []
    for number in range(5000):
        later = dice.randrange(12) if dice.random() < 0.125 else 0  # more than nine: r10 sorts before r2
        is_working = dice.random() < 0.02
        verdicts = tuple(dice.choices(index.VERDICTS, (90, 4, 2, 1, 1, 1, 1), k=later + (not is_working)))
        files.append(Known(file(number, NEWEST - dice.randrange(20_000)), verdicts, is_working))
    return cloud, world(cloud, files)


@pytest.mark.parametrize(("wanted", "limit"), [((), 1000), ((), 317), (("failed", "dead"), 20)])
def test_five_thousand_files_are_listed_as_by_a_plain_sort(
    big: tuple[FakeCloud, list[Known]], wanted: tuple[State, ...], limit: int
) -> None:
    cloud, known = big

    found = listed(Query(wanted), cloud, limit)

    assert found == [one.newest for one in known if not wanted or one.newest[1] in wanted]


def plain(cloud: FakeCloud, number: int, verdict: Verdict = "succeeded", reason: str = "") -> Run:
    """A file with one ended run; the lower its number, the newer."""
    run = Run(file(number, NEWEST - number))
    index.write(cloud.results, ended(run, verdict, reason))
    return run


def names(query: Query, cloud: FakeCloud) -> list[str]:
    return [job.name for job in listing.jobs(query, cloud)]


@pytest.mark.parametrize(("wanted", "calls"), [((), 8), (("failed",), 2), (("failed", "dead"), 3)])
def test_a_page_of_a_thousand_is_one_call_for_each_verdict_and_one_for_the_claims(
    cloud: FakeCloud, wanted: tuple[State, ...], calls: int
) -> None:
    for number in range(1001):
        plain(cloud, number, "failed")
    cloud.results = counted = Counted(cloud.results)  # type: ignore[assignment]

    page = listing.page(Query(wanted), cloud, 1000)
    first = Counter(counted.calls)
    listing.page(Query(wanted), cloud, 20, page.jobs[0].file_key)

    assert (len(page.jobs), first) == (1000, Counter(page=calls))
    assert Counter(counted.calls) - first == Counter(page=calls)


def test_a_page_stays_the_same_while_newer_jobs_end(cloud: FakeCloud) -> None:
    runs = [plain(cloud, number) for number in range(10, 30)]
    first = listing.page(Query(), cloud, 5)
    for number in range(9):
        plain(cloud, number)

    second = listing.page(Query(), cloud, 5, first.next)

    assert [job.job_id for job in second.jobs] == [run.job_id for run in runs[5:10]]


def test_so_many_tasks_of_each_queue_are_read(cloud: FakeCloud, uploaded: Callable[..., File]) -> None:
    for number in range(3):
        pipeline.enlist(Run(uploaded(f"{number}.jpg", b"x")), STEPS, cloud)

    assert [len(listing.page(Query(), cloud, 9, max_tasks=limit).jobs) for limit in (1, 2, 9)] == [1, 2, 3]


def test_the_last_page_has_no_successor(cloud: FakeCloud) -> None:
    plain(cloud, 1)

    assert listing.page(Query(), cloud, 2).next == ""
    assert listing.page(Query(), FakeCloud(cloud.settings, cloud.routes), 2).jobs == []


@pytest.mark.parametrize("token", ["7", "x" * 60, "../jobs/", f"{0:016}-{'a' * 26}-7/"])
def test_a_token_of_another_kind_is_refused(cloud: FakeCloud, token: str) -> None:
    with pytest.raises(BadRequest, match="page token") as refused:
        listing.page(Query(), cloud, 5, token)

    assert refused.value.code == "bad_token"


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("invoices/**", ["invoices/2026/1.jpg", "invoices/2026/2.jpg"]),
        ("invoices/*", []),
        ("**/1.jpg", ["invoices/2026/1.jpg"]),
        ("cats/?.jpg", ["cats/0.jpg", "cats/3.jpg"]),
    ],
)
def test_names_are_matched_as_in_routes(cloud: FakeCloud, pattern: str, found: list[str]) -> None:
    for number in range(4):
        plain(cloud, number)

    assert names(Query(name=pattern), cloud) == found


def test_jobs_are_found_by_one_of_their_reasons(cloud: FakeCloud) -> None:
    for number, reason in enumerate(("corrupt", "too_large", "bad_option,corrupt", "")):
        plain(cloud, number, "failed", reason)

    assert names(Query(reasons=("corrupt",)), cloud) == ["cats/0.jpg", "invoices/2026/2.jpg"]
    assert names(Query(reasons=("corrupt", "too_large")), cloud) == ["cats/0.jpg", "invoices/2026/1.jpg", "invoices/2026/2.jpg"]


def test_since_is_the_time_of_the_upload(cloud: FakeCloud) -> None:
    for number in range(4):
        plain(cloud, number)

    assert names(Query(since=NEWEST - 1), cloud) == ["cats/0.jpg", "invoices/2026/1.jpg"]


def test_older_jobs_than_since_are_not_read(cloud: FakeCloud) -> None:
    for number in range(3000):
        plain(cloud, number, "failed")
    cloud.results = counted = Counted(cloud.results)  # type: ignore[assignment]

    assert len(names(Query(("failed",), since=NEWEST - 10), cloud)) == 11
    assert Counter(counted.calls) == Counter(page=2)


def test_a_later_run_in_work_is_described_by_its_claim(cloud: FakeCloud) -> None:
    run = plain(cloud, 1, "failed", "corrupt")
    index.claim(cloud.results, manifest.of_claim(Run(run.file, 1), STEPS, {}, "request", TIME))

    (job,) = listing.jobs(Query(), cloud)

    assert (job.verdict, job.run, job.reason, job.ended) == (PROCESSING, 1, "", "")
    assert (job.name, job.size, job.content_type) == (run.file.name, run.file.size, run.file.content_type)


def test_a_file_in_work_is_described_by_its_task(cloud: FakeCloud) -> None:
    cloud.queue.add(Task(Run(CAT), STEPS, STEPS.first[0]))

    (job,) = listing.jobs(Query((PROCESSING,)), cloud)

    assert (job.verdict, job.job_id, job.name, job.size) == (PROCESSING, Run(CAT).job_id, CAT.name, CAT.size)


def test_a_job_whose_task_has_not_left_its_queue_is_listed_once_with_its_verdict(cloud: FakeCloud) -> None:
    run = plain(cloud, 1)
    cloud.queue.add(Task(run, STEPS, STEPS.first[0]))

    assert [job.verdict for job in listing.jobs(Query(), cloud)] == ["succeeded"]
    assert list(listing.jobs(Query((PROCESSING,)), cloud)) == []


def test_an_outage_of_the_queues_is_not_an_empty_list(cloud: FakeCloud) -> None:
    cloud.queue.broken = True

    with pytest.raises(Unavailable):
        list(listing.jobs(Query(), cloud))
    assert list(listing.jobs(Query(("failed",)), cloud)) == []
