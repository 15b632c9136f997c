"""Steps outside the sandbox, delivered: attempts, gates and later runs."""

import socket
from collections.abc import Callable
from dataclasses import replace

import pytest

from shared import ledger, pipeline
from shared.errors import ProcessorFailed, Unavailable
from shared.manifest import Manifest
from shared.model import File, Place, Recipe, Run, recipe
from shared.plan import Plan, PlannedStep, Task
from shared.sandbox.service import Sandbox
from shared.testing import FakeCloud
from tests.unit.outside.services import Talk, answering, ok, serving
from tests.unit.outside.test_scan import scanning, told
from tests.unit.working import again, work

SCAN = recipe("scan", "any.scan", 1, {})
DIGEST = recipe("digest", "any.digest", 2, {})
GATED = Plan((PlannedStep(SCAN, "scanning", 2), PlannedStep(DIGEST, "files", 2, after=("scan",))))

Uploaded = Callable[..., File]


def steps(cloud: FakeCloud, run: Run, plan: Plan = GATED) -> dict[str, tuple[str, str, str]]:
    """Of each step that ended in this run: verdict, reason, and the run that it was taken from."""
    found = [ledger.find(cloud.results, ledger.manifest_name(run, plan, place)) for place in plan.places]
    every = [step for one in found if isinstance(one, Manifest) for step in one.steps]
    return {step["step"]: (step["verdict"], step.get("reason", ""), step.get("adopted", "")) for step in every}


def with_clamd(cloud: FakeCloud, port: int) -> None:
    cloud.settings = replace(cloud.settings, clamd=f"127.0.0.1:{port}")


def test_a_clean_file_passes_the_gate(cloud: FakeCloud, uploaded: Uploaded) -> None:
    file = uploaded("a.txt", b"text", "text/plain")
    with serving(told, scanning(b"stream: OK\0")) as clamd:
        with_clamd(cloud, clamd.port)
        work(GATED, cloud, file)

    assert steps(cloud, Run(file)) == {"scan": ("succeeded", "", ""), "digest": ("succeeded", "", "")}


def test_an_infected_file_does_not_pass(cloud: FakeCloud, uploaded: Uploaded) -> None:
    file = uploaded("a.txt", b"text", "text/plain")
    with serving(told, scanning(b"stream: Worm FOUND\0")) as clamd:
        with_clamd(cloud, clamd.port)
        work(GATED, cloud, file)

    assert steps(cloud, Run(file)) == {"scan": ("failed", "infected", ""), "digest": ("skipped", "after_failed", "")}


def test_a_later_run_scans_again_and_adopts_only_the_steps_behind(cloud: FakeCloud, uploaded: Uploaded) -> None:
    file = uploaded("a.txt", b"text", "text/plain")
    with serving(told, scanning(b"stream: OK\0"), told, scanning(b"stream: OK\0")) as clamd:
        with_clamd(cloud, clamd.port)
        work(GATED, cloud, file)
        run = again(file, GATED, cloud)

    assert steps(cloud, run) == {"scan": ("succeeded", "", ""), "digest": ("succeeded", "", Run(file).job_id)}
    assert len(clamd.received) == 4


def test_a_later_run_that_finds_malware_closes_the_gate(cloud: FakeCloud, uploaded: Uploaded) -> None:
    file = uploaded("a.txt", b"text", "text/plain")
    with serving(told, scanning(b"stream: OK\0"), told, scanning(b"stream: Worm FOUND\0")) as clamd:
        with_clamd(cloud, clamd.port)
        work(GATED, cloud, file)
        run = again(file, GATED, cloud)

    assert steps(cloud, run) == {"scan": ("failed", "infected", ""), "digest": ("skipped", "after_failed", "")}


def test_an_outage_of_clamd_costs_no_attempt(cloud: FakeCloud, uploaded: Uploaded) -> None:
    file = uploaded("a.txt", b"text", "text/plain")
    task = Task(Run(file), GATED, Place(0, "scanning"))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        with_clamd(cloud, taken.getsockname()[1])
    for delivery in range(1, 6):
        with pytest.raises(Unavailable):
            pipeline.process(task, delivery, cloud)
    with serving(told, scanning(b"stream: OK\0")) as clamd:
        with_clamd(cloud, clamd.port)
        pipeline.process(task, 6, cloud)

    assert steps(cloud, Run(file))["scan"] == ("succeeded", "", "")


def test_without_its_setting_a_step_of_another_release_waits(cloud: FakeCloud, uploaded: Uploaded) -> None:
    task = Task(Run(uploaded("a.txt", b"text", "text/plain")), GATED, Place(0, "scanning"))

    with pytest.raises(Unavailable, match="set SLUICE_CLAMD"):
        pipeline.process(task, 1, cloud)


def calling(port: int, **options: str) -> Recipe:
    return recipe("call", "service.call", 1, {"url": f"http://127.0.0.1:{port}/", **options})


def test_a_service_that_fails_uses_up_the_attempts(cloud: FakeCloud, uploaded: Uploaded) -> None:
    file = uploaded("a.txt", b"text", "text/plain")
    with serving(answering(b"HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nfull")) as service:
        cloud.settings = replace(cloud.settings, service_origins=service.url)
        plan = Plan((PlannedStep(calling(service.port), "services", 2),))
        task = Task(Run(file), plan, Place(0, "services"))
        for delivery in (1, 2):
            with pytest.raises(ProcessorFailed):
                pipeline.process(task, delivery, cloud)
        pipeline.process(task, 3, cloud)

    found = ledger.find(cloud.results, ledger.manifest_name(task.run, plan, task.place))
    assert isinstance(found, Manifest)
    (step,) = found.steps
    assert (step["verdict"], step["message"]) == ("dead", "the service answered 503: full")
    assert len(service.received) == 2


def _called(cloud: FakeCloud, file: File, talk: Talk, **options: str) -> bytes:
    """The request of a step that calls the service of this talk."""
    with serving(talk) as service:
        cloud.settings = replace(cloud.settings, service_origins=service.url)
        work(Plan((PlannedStep(calling(service.port, **options), "services", 2),)), cloud, file)
    return service.received[0]


def test_a_call_has_the_stem_of_the_file_s_name_and_a_token(cloud: FakeCloud, uploaded: Uploaded) -> None:
    file = uploaded("folder/Größe 1.docx", b"PK", "application/x-own")
    options = {
        "body": "form",
        "file_name": "{stem}.docx",
        "audience": "https://tika.test",
        "answer": "output",
        "output": "{stem}.pdf",
    }

    request = _called(cloud, file, answering(ok(b"%PDF", "application/pdf")), **options)

    assert 'filename="Größe 1.docx"'.encode() in request
    assert b"\r\nAuthorization: Bearer token for https://tika.test\r\n" in request
    assert [name.rpartition("/")[2] for name in cloud.results.names("files/")] == ["Größe 1.pdf"]


def test_a_pool_without_decoders_starts_no_process_for_them() -> None:
    sandbox = Sandbox((), room_bytes=1 << 30)
    sandbox.prepare()

    assert sandbox.zygote_pid is None
