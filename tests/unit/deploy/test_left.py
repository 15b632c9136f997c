"""A pool that is gone from pipeline.toml: its service stays until it is deleted by hand, then its account goes."""

import io
from collections.abc import Callable
from pathlib import Path

import pytest

from deploy import grants, left, watching
from deploy.deployment import Deployment
from deploy.doctor import faults
from deploy.down import down
from deploy.kinds import Account, Grant, Queue, Service
from deploy.running import Runner
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
    it.state.queues = {"sluice-old": Queue(host=host), "sluice-images": Queue(host=host), "others": Queue(host="elsewhere")}
    left.warn(it)

    assert capsys.readouterr().err == (
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
