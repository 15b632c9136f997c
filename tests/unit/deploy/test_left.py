"""Pools and queues that are gone from pipeline.toml: they stay, named, until they are deleted by hand."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from deploy import grants, left, queues, reading, watching
from deploy.deployment import Deployment
from deploy.doctor import faults
from deploy.down import down
from deploy.kinds import Account, Bucket, Grant, Queue, Service
from deploy.running import Runner
from deploy.status import status
from tests.unit.deploy.example import deployment
from tests.unit.deploy.test_changes import commands

PROCESSOR_X = Account("Sluice processor-x")
LONG = "once-upon-a-time-long"
DELETE = "gcloud run services delete sluice-processor-heavy --region=us-central1"


def after_a_pool(folder: Path, pool: str = "heavy", command: str = "up") -> Deployment:
    """A deployment with the service and the account of a pool that pipeline.toml does not have."""
    it = deployment(folder, command)
    name = f"processor-{pool}"
    it.state.services[it.short(name)] = Service(variables={"FUNCTION_TARGET": "processor", "SLUICE_POOL": pool})
    it.state.accounts[it.email(name)] = Account(f"Sluice {name}")
    for resource in ("bucket:uploads", "queue:images"):
        theirs = Grant("roles/viewer", grants.member(it, name))
        it.state.policies[resource] = [*grants.wanted(it, resource), theirs]
    return it


def removed(it: Deployment) -> list[str]:
    return [command[-2] for job in grants.revocations(it) for command in job]


@pytest.mark.parametrize("pool", ["heavy", LONG])
def test_its_service_keeps_its_account_and_its_grants(pool: str, tmp_path: Path) -> None:
    it = after_a_pool(tmp_path, pool)

    assert left.serving(it) == [f"processor-{pool}"]
    assert (removed(it), commands(left.retired_accounts(it))) == ([], [])


@pytest.mark.parametrize("pool", ["heavy", LONG])
def test_once_its_service_is_deleted_its_grants_are_revoked_and_its_account_is_deleted(pool: str, tmp_path: Path) -> None:
    it = after_a_pool(tmp_path, pool)
    it.state.services.clear()
    words = [line.word for line in it.listing.lines]

    assert removed(it) == [f"--member={grants.member(it, f'processor-{pool}')}"] * 2
    assert commands(left.retired_accounts(it)) == [f"iam service-accounts delete {it.email(f'processor-{pool}')}"]
    assert words.index("revocations") < words.index("retired_accounts"), "else policies keep a deleted account"


def test_a_pool_that_pipeline_toml_has_is_not_left(tmp_path: Path) -> None:
    it = after_a_pool(tmp_path, "slow")
    it.state.accounts["sluice-processor@demo-project.iam.gserviceaccount.com"] = Account("Sluice processor")

    assert left.left(it) == []


@pytest.mark.parametrize(
    "strange",
    [
        lambda it: it.state.services.update(
            {"sluice-eu-processor-x": Service(variables={"FUNCTION_TARGET": "processor", "SLUICE_POOL": "x"})}
        ),
        lambda it: it.state.services.update({"sluice-eu-notifier": Service(variables={"FUNCTION_TARGET": "notifier"})}),
        lambda it: it.state.services.update({"blog": Service(variables={})}),
        lambda it: it.state.accounts.update({"sluice-eu-processor-x@demo-project.iam.gserviceaccount.com": PROCESSOR_X}),
        lambda it: it.state.accounts.update({"sluice-processor-x@demo-project.iam.gserviceaccount.com": Account("Of others")}),
        lambda it: it.state.accounts.update({"sluice-blog@demo-project.iam.gserviceaccount.com": Account("Sluice blog")}),
    ],
)
def test_services_and_accounts_of_others_are_left_alone(strange: Callable[[Deployment], None], tmp_path: Path) -> None:
    it = deployment(tmp_path)
    strange(it)

    assert left.left(it) == []


def test_up_names_it_with_the_queues_that_still_call_it_and_the_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    it = after_a_pool(tmp_path)
    host = "sluice-processor-heavy-42.us-central1.run.app"
    it.state.queues = {
        "sluice-old": Queue(host=host, state="RUNNING"),
        "sluice-images": Queue(host=host),
        "others": Queue(host="elsewhere"),
    }
    left.warn(it)

    assert capsys.readouterr().err.startswith(
        "note: the service sluice-processor-heavy is left behind: pipeline.toml has no such pool, and the queues sluice-old still "
        f"call it. When none of its tasks waits any more, delete it; the next up removes its account:\n  {DELETE}\n"
    )


def test_doctor_counts_it_as_a_fault(tmp_path: Path) -> None:
    (found,) = [fault for fault in faults(after_a_pool(tmp_path, command="doctor")) if "left behind" in fault.what]

    assert found.what == "the service sluice-processor-heavy is left behind: pipeline.toml has no such pool"
    assert DELETE in found.fix


def test_down_removes_its_service_its_grants_and_its_account(tmp_path: Path) -> None:
    it = after_a_pool(tmp_path, command="down")
    it.state.queues["sluice-images"] = Queue()
    printed = io.StringIO()
    down(it, Runner(None, printed))
    email = "sluice-processor-heavy@demo-project.iam.gserviceaccount.com"
    lines = printed.getvalue().replace(" \\\n    ", " ")

    assert 0 < lines.find(DELETE) < lines.find(f"--member=serviceAccount:{email}")
    assert lines.find(f"--member=serviceAccount:{email}") < lines.find(f"gcloud iam service-accounts delete {email}")


def test_a_service_without_its_account_is_left_all_the_same(tmp_path: Path) -> None:
    it = after_a_pool(tmp_path, command="down")
    it.state.services["sluice-notifier"] = Service(variables={"FUNCTION_TARGET": "notifier"})
    it.state.accounts.clear()

    assert left.serving(it) == ["notifier", "processor-heavy"]
    assert commands(left.retired_accounts(it)) + commands(left.retired_subscription(it)) == []


def test_a_down_that_was_interrupted_finds_the_account_without_its_service(tmp_path: Path) -> None:
    it = after_a_pool(tmp_path, command="down")
    it.state.services.clear()
    printed = io.StringIO()
    down(it, Runner(None, printed))

    assert "gcloud iam service-accounts delete sluice-processor-heavy@" in printed.getvalue()


def test_alerts_and_metrics_cover_it_while_it_serves(tmp_path: Path) -> None:
    it = after_a_pool(tmp_path)
    alert = watching.rendered(it, watching.ALERTS / "server-errors.json")[0]
    metric = watching.rendered(it, watching.METRICS / "verdicts.json")[0]

    assert [text.count("sluice-processor|sluice-processor-slow|sluice-processor-heavy") for text in (alert, metric)] == [2, 1]


def after_a_queue(folder: Path, command: str = "up", state: str = "RUNNING", tasks: int = 0, **options: Any) -> Deployment:
    """A deployment with the queue `old`, which pipeline.toml does not have, and with queues of others."""
    it = deployment(folder, command, **options)
    it.state.queues = {name: Queue(state="RUNNING") for name in ("sluice-images", "sluice-digests", "sluice-eu-old", "blog")}
    it.state.queues |= {"sluice-old": Queue(state=state), "sluice-Odd_one": Queue(state="RUNNING")}
    it.state.buckets = {f"demo-project-{name}-uploads": Bucket() for name in ("sluice", "sluice-eu")}
    it.state.waiting = {"old": tasks}
    return it


def test_a_queue_that_is_gone_is_left_and_those_of_another_deployment_are_not(tmp_path: Path) -> None:
    assert left.queues(after_a_queue(tmp_path)) == ["old"]


def test_the_queues_of_a_deployment_that_is_down_without_its_data_are_its_own(tmp_path: Path) -> None:
    """`down --delete-data` deletes its uploads bucket, and pauses its queues."""
    it = after_a_queue(tmp_path)
    del it.state.buckets["demo-project-sluice-eu-uploads"]
    it.state.queues |= {name: Queue(state="PAUSED") for name in ("sluice-sweeper", "sluice-eu-sweeper", "sluice-europe")}

    assert left.queues(it) == ["old", "europe"]


@pytest.mark.parametrize(
    ("tasks", "state", "said"),
    [
        (0, "RUNNING", "no task waits"),
        (1, "RUNNING", "1 task waits"),
        (100, "RUNNING", "100 tasks wait"),
        (101, "RUNNING", "more than 100 tasks wait"),
        (3, "PAUSED", "3 tasks wait; it is paused, so that nothing is delivered"),
    ],
)
@pytest.mark.parametrize("command", ["doctor", "status", "up"])
def test_it_is_named_with_its_tasks_and_the_command(
    command: str, tasks: int, state: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    it = after_a_queue(tmp_path, command, state, tasks)
    what = f"the queue sluice-old is left behind: pipeline.toml does not have it, and {said}"
    delete = "gcloud tasks queues delete sluice-old --location=us-central1"
    advice = "hen no task waits in it any more, delete it; or put it back into pipeline.toml"
    if command == "doctor":
        (found,) = [fault for fault in faults(it) if "left behind" in fault.what]
        assert found == (what, f"w{advice}: {delete}")
        return
    left.warn(it)
    assert capsys.readouterr().err == f"note: {what}. W{advice}:\n  {delete}\n"
    if command == "status":
        status(it)
        assert f", not in pipeline.toml; {said}\n" in capsys.readouterr().out


def test_its_tasks_are_counted_and_no_others(tmp_path: Path) -> None:
    read = {key: command for key, command in reading.belongings(after_a_queue(tmp_path)).items() if key.startswith("waiting")}

    assert read == {"waiting.old": ["tasks", "list", "--queue=sluice-old", "--location=us-central1", "--limit=101"]}


@pytest.mark.parametrize("delete_data", [False, True])
def test_down_pauses_it_and_up_resumes_it_again(delete_data: bool, tmp_path: Path) -> None:
    it = after_a_queue(tmp_path, "down", tasks=3, delete_data=delete_data, yes=True)
    printed = io.StringIO()
    down(it, Runner(None, printed))

    assert "=by-down,paused-old=by-down\n" in printed.getvalue()
    assert "gcloud tasks queues pause sluice-old " in printed.getvalue()
    assert ("gcloud tasks queues purge sluice-old " in printed.getvalue()) == delete_data
    assert not any(word in printed.getvalue() for word in ("sluice-eu-old", "blog", "Odd_one"))

    it = after_a_queue(tmp_path, "up", "PAUSED", tasks=3)
    it.state.buckets["demo-project-sluice-uploads"] = Bucket(paused=frozenset({"old"}))
    queues.hold(it)
    assert commands(queues.resume_queues(it))[0] == "tasks queues resume sluice-old --location=us-central1"


def test_a_pause_of_an_operator_stays(tmp_path: Path) -> None:
    it = after_a_queue(tmp_path, "up", "PAUSED", yes=True)
    queues.hold(it)

    assert commands(queues.resume_queues(it)) == []
