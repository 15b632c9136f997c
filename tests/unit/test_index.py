"""Index entries and claims: their names, their metadata within the limits, and their place as the last write."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import count

import pytest

from shared import index, manifest, pipeline
from shared.errors import BadFile, Unavailable
from shared.index import MAX_BYTES, MAX_VALUE_BYTES, Entry
from shared.manifest import Job
from shared.model import File, Result, Run, Verdict
from shared.operations.cancel import cancel
from shared.plan import Task
from shared.testing import FakeBucket, FakeCloud
from tests.unit.operations.mortal import Killed, Mortal
from tests.unit.pipeline.calls import Uploaded, told
from tests.unit.plans import CAT, Script, chain, plan, step
from tests.unit.working import Fixed, work

TIME = "2026-01-15T10:00:00.000Z"
EMOJI = "🐈" * 256  # 1,024 bytes: the longest name of an object


def job(*results: Result, file: File = CAT, run: int = 0) -> Job:
    steps = plan(*(step(one.step) for one in results))
    return Job([manifest.of_task(Task(Run(file, run), steps, steps.places[0]), results, TIME)])


def ended(name: str, verdict: Verdict = "succeeded", reason: str = "", message: str = "") -> Result:
    return Result(name, f"{name}-00000000", verdict, reason, message)


def stored_bytes(metadata: Mapping[str, str]) -> int:
    return sum(len(key.encode()) + len(value.encode()) for key, value in metadata.items())


def entry(whole: Job) -> Entry:
    return index.read_entry(index.entry_name(whole.manifests[0].run, whole.verdict), index.metadata_of(whole))


def entries(bucket: FakeBucket) -> list[str]:
    return [name for name in bucket.names("index/") if not name.startswith("index/rerun/")]


def test_the_names_of_entries_and_claims_stay() -> None:
    run = Run(CAT, 2)

    assert index.entry_name(Run(CAT), "failed") == "index/failed/8299999999999999-lxl7ns75i36nil4qpyimr2t7nq-1700000000000001"
    assert index.entry_name(run, "partial") == "index/partial/8299999999999999-lxl7ns75i36nil4qpyimr2t7nq-1700000000000001-r2"
    assert index.claim_name(run) == "index/rerun/8299999999999999-lxl7ns75i36nil4qpyimr2t7nq-1700000000000001-r2"


def test_an_entry_gives_back_the_job() -> None:
    file = replace(CAT, name="à/ü 1%.jpg", metadata={"who": "Käthe"})
    results = ended("a"), ended("b", "failed", "corrupt", "it ends 5 % early"), ended("c", "skipped", "after_failed")

    found = entry(job(*results, file=file, run=3))

    assert (found.verdict, found.run, found.name, found.size) == ("partial", 3, file.name, file.size)
    assert (found.reason, found.message, found.ended) == ("corrupt", "it ends 5 % early", TIME)
    assert found.recipes == ("a-00000000", "b-00000000", "c-00000000")
    assert (found.metadata, found.cut) == ({"who": "Käthe"}, ())


@pytest.mark.parametrize(
    ("file", "results", "cut"),
    [
        (replace(CAT, name=EMOJI), [ended(f"step-{number:02}") for number in range(60)], []),
        (replace(CAT, name=EMOJI, metadata={"who": EMOJI}), [ended(f"step-{number:02}") for number in range(60)], []),
        (replace(CAT, metadata={"who": "x" * 8180}), [ended("a")], ["metadata"]),
        (replace(CAT, name=EMOJI, metadata={"who": EMOJI}), [ended("a", "failed", "bad", EMOJI * 2)], ["message"]),
        (replace(CAT, name=EMOJI), [ended(f"step-with-a-long-name-{number:03}") for number in range(150)], ["recipes"]),
        (replace(CAT, content_type="image/" + "x" * 5000), [ended("a")], ["type"]),
    ],
    ids=["60 recipes", "60 recipes and metadata", "long metadata", "long message", "150 recipes", "long type"],
)
def test_metadata_keeps_within_the_limits_and_names_the_rest(file: File, results: list[Result], cut: list[str]) -> None:
    whole = job(*results, file=file)

    metadata = index.metadata_of(whole)

    assert all(value.isascii() and len(value) <= MAX_VALUE_BYTES for value in metadata.values())
    assert stored_bytes(metadata) <= MAX_BYTES
    assert metadata.get("cut", "").split(",") == (cut or [""])
    assert entry(whole).name == file.name


def test_a_cancelled_job_is_listed_under_that_reason(cloud: FakeCloud, uploaded: Uploaded, script: Script) -> None:
    file = uploaded("cat.jpg", b"meow")
    cloud.routes = Fixed(chain())  # type: ignore[assignment]
    cancel("cat.jpg", cloud)

    (name,) = entries(cloud.results)
    assert index.read_entry(name, cloud.results.page(name, name, 1)[name]).reason == "cancelled"
    assert name == index.entry_name(Run(file), "skipped")


def test_cut_off_before_any_call_the_entry_comes_last_and_once(cloud: FakeCloud, uploaded: Uploaded, script: Script) -> None:
    file = uploaded("cat.jpg", b"meow")
    script.raises["b"] = BadFile("not a picture", "not_a_picture")
    steps = plan(step("a"), step("b"))
    task = Task(Run(file), steps, steps.places[0])
    results, topic = cloud.results, cloud.completions
    for last in count():
        results.versions, calls = {}, count()
        topic.notices.clear()
        cloud.results, cloud.completions = Mortal(results, calls, last), Mortal(topic, calls, last)  # type: ignore[assignment]
        survived = True
        try:
            pipeline.process(task, 1, cloud)
        except Killed:
            survived = False
        cloud.results, cloud.completions = results, topic

        assert bool(entries(results)) == survived, f"cut off before call {last}"
        pipeline.process(task, 2, cloud)
        assert entries(results) == [index.entry_name(Run(file), "partial")], f"cut off before call {last}"
        assert set(told(cloud)) == {"a", "b", "job"}, f"cut off before call {last}"
        if survived:
            break
    assert last == 4  # output, manifest, notices, entry


def test_an_outage_of_the_topic_leaves_no_entry(cloud: FakeCloud, uploaded: Uploaded, script: Script) -> None:
    file = uploaded("cat.jpg", b"meow")
    cloud.completions.broken = True
    with pytest.raises(Unavailable):
        work(plan(step("a")), cloud, file)

    assert entries(cloud.results) == []
