"""Running many files again: chosen and priced first, then begun; the same request begins nothing twice."""

import time
from collections.abc import Callable
from itertools import count

import pytest

from shared.errors import Unavailable
from shared.model import File, Run
from shared.operations import bulk, listing, parallel, prices
from shared.operations.bulk import Chosen
from shared.operations.listing import Query
from shared.pipeline import dispatch, process
from shared.routes import parse
from shared.testing import FakeCloud
from tests.unit.operations.mortal import Killed, Mortal
from tests.unit.pipeline.calls import Uploaded, message
from tests.unit.pipelines import ONLY_PICTURES

FAILED = Query(verdicts=("failed",))
Fail = Callable[[str], File]


@pytest.fixture
def cloud(cloud: FakeCloud) -> FakeCloud:
    cloud.routes = parse(ONLY_PICTURES)
    return cloud


@pytest.fixture
def fail(cloud: FakeCloud, uploaded: Uploaded) -> Fail:
    """Upload a file that fails, and work it through."""

    def upload(name: str) -> File:
        file = uploaded(name, b"no picture")
        dispatch(message(file), cloud)
        work(cloud)
        return file

    return upload


def work(cloud: FakeCloud) -> None:
    for task, _ in list(cloud.queue.tasks("images")):
        process(task, 1, cloud)
        cloud.queue.delete(task)


def choose(cloud: FakeCloud, *names: str, plan: bulk.PlanOf = "today", request: str = "") -> list[Chosen]:
    return list(bulk.choose(names, Query() if names else FAILED, plan, cloud, request))


def begin(cloud: FakeCloud, request: str = "mine") -> list[str]:
    """Run every failed file again; the state of each."""
    chosen = choose(cloud, request=request)
    return [one.state for one in bulk.begin(chosen, request, cloud, per_second=1000)]


def claims(cloud: FakeCloud) -> list[str]:
    return list(cloud.results.names("index/rerun/"))


def test_a_query_chooses_jobs_with_their_verdict_and_price(cloud: FakeCloud, fail: Fail) -> None:
    file = fail("a.png")

    (one,) = choose(cloud)

    assert (one.name, one.job_id, one.state) == ("a.png", Run(file).job_id, "ready")
    assert (one.verdict, one.reason) == ("failed", "not_a_picture")
    assert one.use == prices.OF_RERUN + prices.of_plan(cloud.routes.plan(file))


def test_a_file_whose_original_is_gone_or_replaced_cannot_run_again(cloud: FakeCloud, fail: Fail, uploaded: Uploaded) -> None:
    for name in ("a.png", "b.png"):
        fail(name)
    del cloud.uploads.versions["a.png"]
    uploaded("b.png", b"new")

    chosen = choose(cloud)

    assert {one.name: one.state for one in chosen} == {"a.png": "gone", "b.png": "replaced"}
    assert sum(one.use.calls for one in chosen) == 0
    assert list(bulk.begin(chosen, "mine", cloud)) == []


def test_names_are_looked_up(cloud: FakeCloud, fail: Fail, uploaded: Uploaded) -> None:
    for name in ("a.png", "b.png"):
        fail(name)
    del cloud.uploads.versions["a.png"]
    uploaded("folder/", b"")

    chosen = choose(cloud, "a.png", "b.png", "folder/", "never.png", "not\npossible")

    assert [one.state for one in chosen] == ["gone", "ready", "ignored", "unknown", "unknown"]


def test_a_deleted_file_is_told_by_its_newest_upload(cloud: FakeCloud, fail: Fail) -> None:
    fail("a.png")
    newer = fail("a.png")
    del cloud.uploads.versions["a.png"]

    assert [one.job_id for one in choose(cloud, "a.png")] == [Run(newer).job_id]


def test_a_name_that_no_object_can_have_is_not_asked_for(cloud: FakeCloud) -> None:
    """Cloud Storage would answer 400."""
    cloud.uploads.broken.add("find")

    assert [one.state for one in choose(cloud, "not\npossible")] == ["unknown"]


def test_todays_plan_is_the_default_and_the_last_runs_plan_can_be_kept(cloud: FakeCloud, fail: Fail) -> None:
    fail("a.png")
    old = cloud.routes.plan(choose(cloud)[0].file or pytest.fail("no file"))
    cloud.routes = parse(ONLY_PICTURES.replace("64", "128"))

    today, same = choose(cloud)[0].plan, choose(cloud, plan="same")[0].plan

    assert (today.plan8 != old.plan8, same.plan8) == (True, old.plan8)


def test_the_same_plan_is_that_of_the_newest_run(cloud: FakeCloud, fail: Fail) -> None:
    fail("a.png")
    for size in ("96", "128"):
        cloud.routes = parse(ONLY_PICTURES.replace("64", size))
        begin(cloud, request=size)
        work(cloud)
    newest = cloud.routes.plan(choose(cloud)[0].file or pytest.fail("no file"))
    cloud.routes = parse(ONLY_PICTURES)

    assert choose(cloud, plan="same")[0].plan.plan8 == newest.plan8


def test_an_outage_costs_one_file_its_run_and_the_request_goes_on_with_it(cloud: FakeCloud, fail: Fail) -> None:
    fail("a.png")
    cloud.queue.broken = True
    first = [begin(cloud), claims(cloud)]
    cloud.queue.broken = False

    assert first[0] == ["unavailable"]
    assert first[1] != []  # claimed, but not queued: no longer failed, so the query does not find it
    assert choose(cloud) == []
    assert begin(cloud) == ["resumed"]
    assert [task.run.number for task, _ in cloud.queue.tasks("images")] == [1]


def test_a_request_goes_on_with_all_its_claims_on_every_page(
    cloud: FakeCloud, fail: Fail, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        fail(f"{number}.png")
    cloud.queue.broken = True
    begin(cloud)
    cloud.queue.broken = False
    monkeypatch.setattr(listing, "MAX_PAGE", 1)

    assert begin(cloud) == ["resumed"] * 3


def test_a_file_that_is_named_and_left_by_the_request_is_chosen_once(cloud: FakeCloud, fail: Fail) -> None:
    file = fail("a.png")
    cloud.queue.broken = True
    begin(cloud)
    cloud.queue.broken = False

    assert [one.job_id for one in choose(cloud, "a.png", "a.png", request="mine")] == [Run(file, 1).job_id]


def test_another_request_leaves_the_claims_of_this_one_alone(cloud: FakeCloud, fail: Fail) -> None:
    fail("a.png")
    begin(cloud, "theirs")

    assert choose(cloud, request="mine") == []


def test_a_run_that_ended_is_not_begun_again_by_its_request(cloud: FakeCloud, fail: Fail) -> None:
    fail("a.png")
    begin(cloud)
    work(cloud)

    states = begin(cloud)

    assert (states, len(claims(cloud))) == (["resumed"], 1)


def test_what_the_request_has_ended_well_is_left_alone(cloud: FakeCloud, fail: Fail) -> None:
    fail("a.png")
    cloud.routes = parse(ONLY_PICTURES.replace("image.renditions", "any.digest").replace("options = { sizes = [64] }", ""))
    begin(cloud)
    work(cloud)

    assert choose(cloud, request="mine") == []


def test_killed_before_any_call_the_request_goes_on_and_begins_nothing_twice(cloud: FakeCloud, fail: Fail) -> None:
    """Every later call of the process, in whichever thread, fails too."""
    for number in range(3):
        fail(f"{number}.png")
    kept = {name: dict(versions) for name, versions in cloud.results.versions.items()}
    results, queue, added = cloud.results, cloud.queue, dict(cloud.queue.added)
    survived = False
    for last in count():
        results.versions, queue.added = {name: dict(versions) for name, versions in kept.items()}, dict(added)
        calls = count()
        cloud.results, cloud.queue = Mortal(results, calls, last), Mortal(queue, calls, last)  # type: ignore[assignment]
        try:
            begin(cloud)
            survived = True
        except Killed:
            pass
        cloud.results, cloud.queue = results, queue
        begin(cloud)

        assert len(claims(cloud)) == 3, f"killed before call {last}"
        assert len(list(queue.tasks("images"))) == 3, f"killed before call {last}"
        if survived:
            break
    assert last > 20


def test_files_begin_at_the_pace_that_is_asked_for(cloud: FakeCloud, fail: Fail) -> None:
    for number in range(4):
        fail(f"{number}.png")
    chosen = choose(cloud)

    begun = time.monotonic()
    list(bulk.begin(chosen, "mine", cloud, per_second=50))

    assert time.monotonic() - begun >= 3 / 50


def test_calls_side_by_side_keep_their_order() -> None:
    assert list(parallel.each(lambda number: number * 2, range(100))) == list(range(0, 200, 2))


def test_the_first_error_ends_the_calls() -> None:
    done = []

    def act(number: int) -> int:
        if number == 3:
            raise Unavailable("planted")
        done.append(number)
        return number

    with pytest.raises(Unavailable):
        list(parallel.each(act, range(10_000)))
    assert len(done) < 100


def test_a_request_has_an_id_of_its_own() -> None:
    assert bulk.new_request() != bulk.new_request()
    assert len(bulk.new_request()) == len("20261128T070023-d31ca601")
