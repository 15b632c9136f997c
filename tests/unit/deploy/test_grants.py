"""Grants: missing ones are added, others of our accounts are removed, those of other accounts stay."""

from pathlib import Path

import pytest

from deploy import grants
from deploy.everything import service_agents
from deploy.gcloud import Command
from deploy.kinds import Grant, Queue, Service, Topic
from tests.unit.deploy.example import PIPELINE, WEBHOOKS, deployment

SIGNER = "serviceAccount:sluice-signer@demo-project.iam.gserviceaccount.com"
TOKEN_CREATOR = "roles/iam.serviceAccountTokenCreator"
ISSUER = Grant(TOKEN_CREATOR, "serviceAccount:sluice-issuer@demo-project.iam.gserviceaccount.com")
CONSOLE = Grant(TOKEN_CREATOR, "serviceAccount:sluice-console@demo-project.iam.gserviceaccount.com")


def test_a_grant_that_is_missing_is_added(tmp_path: Path) -> None:
    it = deployment(tmp_path)
    target = SIGNER.removeprefix("serviceAccount:")

    add = ["iam", "service-accounts", "add-iam-policy-binding", target, "--condition=None"]

    it.state.policies["account:signer"] = [CONSOLE]
    assert list(grants.grants(it, "account:signer")) == [[[*add, f"--member={ISSUER.member}", f"--role={TOKEN_CREATOR}"]]]

    it.state.policies["account:signer"] = [CONSOLE, ISSUER]
    assert list(grants.grants(it, "account:signer")) == []


def test_grants_of_a_kind_are_those_of_all_its_resources(tmp_path: Path) -> None:
    jobs = list(grants.grants(deployment(tmp_path), "queue"))

    assert [(job[0][3], len(job)) for job in jobs] == [("sluice-images", 9), ("sluice-digests", 9)]


@pytest.mark.parametrize(
    ("member", "is_revoked"),
    [
        (SIGNER, True),
        (f"deleted:{SIGNER}?uid=1234", True),
        ("allUsers", True),
        ("allAuthenticatedUsers", True),
        ("user:auditor@example.com", False),
        (SIGNER.replace("sluice-", "sluice-eu-"), False),
        (SIGNER.replace("demo-project", "another"), False),
    ],
)
def test_only_our_accounts_and_strangers_lose_what_the_table_does_not_give(
    member: str, is_revoked: bool, tmp_path: Path
) -> None:
    it = deployment(tmp_path)
    it.state.policies["queue:images"] = [*grants.wanted(it, "queue:images"), Grant("roles/owner", member)]
    removed: list[Command] = [command for job in grants.revocations(it) for command in job]

    assert [command[-2:] for command in removed] == [[f"--member={member}", "--role=roles/owner"]] * is_revoked


OPS, ANN = "group:ops@example.com", "user:ann@example.com"
QUEUE_OPERATOR = "projects/demo-project/roles/sluice.queueOperator"


EXTRACTING = PIPELINE.replace("any.digest", "archive.extract").replace("1536Mi", "4Gi")


@pytest.mark.parametrize(("text", "accounts"), [(PIPELINE, []), (EXTRACTING, ["sluice-processor-slow"])], ids=["never", "slow"])
def test_only_the_pools_that_extract_may_create_uploads(text: str, accounts: list[str], tmp_path: Path) -> None:
    creators = [
        grant.member
        for grant in grants.wanted(deployment(tmp_path, text=text), "bucket:uploads")
        if "objectCreator" in grant.role
    ]

    services = ["sluice-upload", "sluice-signer", *accounts]
    assert creators == [f"serviceAccount:{service}@demo-project.iam.gserviceaccount.com" for service in services]


@pytest.mark.parametrize(("text", "may_read"), [(PIPELINE, False), (f"{PIPELINE}by_bytes = true\n", True)], ids=["no", "yes"])
def test_the_dispatcher_may_read_uploads_only_where_a_route_goes_by_their_bytes(
    text: str, may_read: bool, tmp_path: Path
) -> None:
    it = deployment(tmp_path, text=text)
    reads = Grant("roles/storage.objectViewer", f"serviceAccount:{it.email('dispatcher')}")

    assert (reads in grants.wanted(it, "bucket:uploads")) == may_read


def test_each_operator_has_each_grant(tmp_path: Path) -> None:
    it = deployment(tmp_path, operators=f"{OPS},{ANN}")

    on_queue = [grant for grant in grants.wanted(it, "queue:images") if grant.member in (OPS, ANN)]
    assert set(on_queue) == {
        Grant(role, who)
        for role in ("roles/cloudtasks.enqueuer", "roles/cloudtasks.taskDeleter", QUEUE_OPERATOR)
        for who in (OPS, ANN)
    }


def test_without_operators_no_row_of_theirs_holds(tmp_path: Path) -> None:
    it = deployment(tmp_path)

    acting = [f"serviceAccount:{it.email(name)}" for name in ("console", "sweeper")]

    assert [grant.member for grant in grants.wanted(it, "queue:images") if "queueOperator" in grant.role] == acting
    assert grants.wanted(it, "subscription:dead-letters") == []


def test_a_former_operator_loses_what_the_table_gave(tmp_path: Path) -> None:
    it = deployment(tmp_path, operators=OPS)
    for resource in ("queue:images", "bucket:uploads"):
        it.state.policies[resource] = grants.wanted(deployment(tmp_path, operators=f"{OPS},{ANN}"), resource)
    by_hand = Grant("roles/storage.admin", ANN)
    it.state.policies["bucket:uploads"].append(by_hand)
    removed = [command for job in grants.revocations(it) for command in job]

    assert {command[-2] for command in removed} == {f"--member={ANN}"}
    assert [command[-1] for command in removed] == [
        "--role=roles/storage.objectViewer",
        "--role=roles/cloudtasks.enqueuer",
        "--role=roles/cloudtasks.taskDeleter",
        f"--role={QUEUE_OPERATOR}",
    ]


def test_a_former_operator_keeps_no_right_on_a_queue_that_is_left_behind(tmp_path: Path) -> None:
    """Whoever may queue tasks there has the processor called."""
    it, then = (deployment(tmp_path, text=PIPELINE + WEBHOOKS, operators=who) for who in (OPS, f"{OPS},{ANN}"))
    for place in (it, then):
        place.state.queues = {"sluice-old": Queue(), "sluice-webhook-old": Queue()}
    left = {
        f"{kind}:{name}": grants.wanted(then, f"{kind}:{like}")
        for kind, name, like in (
            ("queue", "old", "images"),
            ("webhook", "webhook-old", "webhook-orders"),
        )
    }
    it.state.policies |= left
    removed = [command for job in grants.revocations(it) for command in job]

    assert {resource for resource in left if resource in grants.resources(it) and grants.exists(it, resource)} == set(left)
    assert {command[-2] for command in removed} == {f"--member={ANN}"}
    assert {command[3] for command in removed} == {"sluice-old", "sluice-webhook-old"}
    it.state.policies = {}
    assert [command for job in grants.grants(it, "queue", "webhook") for command in job if command[3].endswith("-old")] == []


INVOKER, ACCESSOR = "roles/run.invoker", "roles/iap.httpsResourceAccessor"
IAP_AGENT = "serviceAccount:service-42@gcp-sa-iap.iam.gserviceaccount.com"


def test_viewers_and_those_who_act_open_the_console_through_cloud_run(tmp_path: Path) -> None:
    robot = "robot@demo-project.iam.gserviceaccount.com"
    it = deployment(tmp_path, console_viewers=f"{OPS},{ANN}", console_operators=f"ann@example.com,bob@example.com,{robot}")

    members = [OPS, ANN, "user:bob@example.com", f"serviceAccount:{robot}"]
    assert grants.wanted(it, "service:console") == [Grant(INVOKER, member) for member in members]
    assert grants.wanted(it, "iap:console") == []


def test_behind_identity_aware_proxy_only_its_agent_calls_the_console(tmp_path: Path) -> None:
    it = deployment(tmp_path, console_viewers=OPS, console_access="iap")

    assert grants.wanted(it, "service:console") == [Grant(INVOKER, IAP_AGENT)]
    assert grants.wanted(it, "iap:console") == [Grant(ACCESSOR, OPS)]


@pytest.mark.parametrize("access", ["iap", "invoker"])
def test_nobody_else_may_open_the_console(access: str, tmp_path: Path) -> None:
    """Also where the right was given by hand, or by the other way in."""
    it = deployment(tmp_path, console_viewers=OPS, console_access=access)
    it.state.policies["service:console"] = [Grant(INVOKER, who) for who in (OPS, ANN, IAP_AGENT, "domain:example.com")]
    it.state.policies["iap:console"] = [Grant(ACCESSOR, who) for who in (OPS, ANN)]
    removed = {tuple(command[-2:]) for job in grants.revocations(it) for command in job}
    kept = {"iap": {(INVOKER, IAP_AGENT), (ACCESSOR, OPS)}, "invoker": {(INVOKER, OPS)}}[access]

    given = {(grant.role, grant.member) for name in it.state.policies for grant in it.state.policies[name]}
    assert removed == {(f"--member={who}", f"--role={role}") for role, who in given - kept}


def test_whoever_never_was_an_operator_keeps_the_same_role(tmp_path: Path) -> None:
    it = deployment(tmp_path)
    it.state.policies["bucket:uploads"] = [*grants.wanted(it, "bucket:uploads"), Grant("roles/storage.objectViewer", ANN)]

    assert list(grants.revocations(it)) == []


def test_another_deployments_operators_are_not_ours(tmp_path: Path) -> None:
    it = deployment(tmp_path)
    theirs = Grant(QUEUE_OPERATOR.replace("sluice.", "sluice_eu."), OPS)
    it.state.policies["queue:images"] = [*grants.wanted(it, "queue:images"), theirs]

    assert list(grants.revocations(it)) == []


def test_strangers_on_the_project_are_not_ours_to_judge(tmp_path: Path) -> None:
    it = deployment(tmp_path)
    it.state.policies["project"] = [Grant("roles/viewer", "allUsers"), Grant("roles/editor", SIGNER)]
    (job,) = grants.revocations(it)

    assert [command[-2:] for command in job] == [[f"--member={SIGNER}", "--role=roles/editor"]]


@pytest.mark.parametrize(("doors", "strangers"), [("", []), ("issuer,upload", ["issuer", "upload"])])
def test_open_doors_are_those_named(doors: str, strangers: list[str], tmp_path: Path) -> None:
    it = deployment(tmp_path, allow_unauthenticated=doors)
    names = ("issuer", "status", "upload")

    assert [
        name for name in names if Grant("roles/run.invoker", "allUsers") in grants.wanted(it, f"service:{name}")
    ] == strangers


def test_agents_that_policies_name_are_not_asked_for(tmp_path: Path) -> None:
    it = deployment(tmp_path)
    assert len(list(service_agents(it))) == 3

    for topic, agent in (("uploads", it.storage_agent), ("dead-letters", it.pubsub_agent)):
        it.state.policies[f"topic:{topic}"] = [Grant("roles/pubsub.publisher", f"serviceAccount:{agent}")]
    it.state.policies["project"] = [Grant("roles/cloudscheduler.serviceAgent", f"serviceAccount:{it.scheduler_agent}")]
    assert list(service_agents(it)) == []

    behind = deployment(tmp_path, console_access="iap")
    behind.state.policies = it.state.policies | {"service:console": []}
    assert [job[0][-1] for job in service_agents(behind)] == ["--service=iap.googleapis.com"]
    behind.state.policies["service:console"] = [Grant(INVOKER, IAP_AGENT)]
    assert list(service_agents(behind)) == []


def test_a_resource_exists_when_the_state_has_it(tmp_path: Path) -> None:
    it = deployment(tmp_path)
    it.state.topics["sluice-uploads"] = Topic()
    it.state.queues["sluice-images"] = Queue()

    it.state.services["sluice-console"] = Service(iap=True)

    found = ["project", "topic:uploads", "queue:images", "service:console", "iap:console"]
    assert [name for name in grants.resources(it) if grants.exists(it, name)] == found
    it.state.services["sluice-console"] = Service()
    assert not grants.exists(it, "iap:console")


def test_a_line_of_deploy_sh_grants_each_row_of_the_table(tmp_path: Path) -> None:
    lines = deployment(tmp_path).listing.lines
    granted = {name for line in lines if line.word == "grants" for name in line.arguments}
    resources = {row.split("\t")[0] for row in grants.TABLE.read_text().splitlines()[1:] if row and row[0] != "#"}

    missing = [name for name in sorted(resources) if granted.isdisjoint({name, name.partition(":")[0]})]
    assert missing == [], "add these to a line `grants` of deploy.sh"
