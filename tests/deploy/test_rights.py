"""Grants: policies equal deploy/grants.tsv cell by cell, and the table gives no more than the code needs."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pytest

from shared.settings import ROOT
from tests.deploy.project import (
    HOME,
    PLACE,
    RESULTS,
    SECRETS,
    SERVICES,
    UPLOADS,
    WEBHOOK_SECRETS,
    Deployed,
    Project,
    Run,
    account,
)
from tests.deploy.stub.world import NUMBER, PROJECT
from tests.deploy.test_up import ALL_SERVICES, PROCESSORS, QUEUES, WEBHOOKS

Grants = list[dict[str, str]]
Cell = tuple[str, str, str]
AGENTS = {
    "agent:storage": f"serviceAccount:service-{NUMBER}@gs-project-accounts.iam.gserviceaccount.com",
    "agent:pubsub": f"serviceAccount:service-{NUMBER}@gcp-sa-pubsub.iam.gserviceaccount.com",
    "agent:iap": f"serviceAccount:service-{NUMBER}@gcp-sa-iap.iam.gserviceaccount.com",
    "agent:scheduler": f"serviceAccount:service-{NUMBER}@gcp-sa-cloudscheduler.iam.gserviceaccount.com",
}
OPERATORS = ["group:ops@example.com", "user:ann@example.com"]
RUN_NO_CODE = ["build", "clock", "push", "reader", "signer", "tasks"]
EVERYBODY = [*ALL_SERVICES, *RUN_NO_CODE]
#: The calls of the code by account, and the least role for each; written independently of the table.
NEEDED: dict[str, dict[str, set[str]]] = {
    "upload": {
        "bucket:uploads": {"storage.objectCreator", "storage.legacyObjectReader"},  # receive: create; find, after a repeat
        "queue:*": {"cloudtasks.enqueuer"},  # receive: add
        "secret:keys": {"secretmanager.secretAccessor"},  # names of keys
        "account:tasks": {"iam.serviceAccountUser"},  # a task that names the account
    },
    "issuer": {
        "account:signer": {"iam.serviceAccountTokenCreator"},  # permit_upload: signBlob
        "secret:keys": {"secretmanager.secretAccessor"},  # names of keys
    },
    "notifier": {
        "bucket:results": {"storage.objectViewer"},  # pushes: names of manifests; attempts: read
        "webhook:*": {
            "cloudtasks.enqueuer",  # pushes: add
            "queueOperator",  # attempts: pause after 410
        },
        "webhook-secret:*": {"secretmanager.secretAccessor"},  # attempts: sign
        "account:tasks": {"iam.serviceAccountUser"},
    },
    "signer": {"bucket:uploads": {"storage.objectCreator"}},  # what the signed URL may
    "dispatcher": {
        "bucket:uploads": {"storage.objectViewer"},  # by_bytes: head, 404 when it is missing
        "bucket:results": {
            "storage.objectCreator",
            "storage.objectViewer",
        },  # job.json: a plan, or the manifest of the skipped; read, 404 when it is missing
        "queue:*": {"cloudtasks.enqueuer"},  # dispatch: add
        "account:tasks": {"iam.serviceAccountUser"},
        "topic:completions": {"pubsub.publisher"},  # notices of the skipped
        "topic:dead-letters": {"pubsub.publisher"},  # bury
    },
    "processor": {
        "bucket:uploads": {
            "storage.objectViewer",  # download; find, 404 when it is missing
            "storage.objectCreator",  # archive.extract: create
        },
        "bucket:results": {"storage.objectCreator", "storage.objectViewer"},  # outputs, commit, notes; find, siblings, list
        "queue:*": {"cloudtasks.enqueuer"},  # finish: the tasks that come after
        "account:tasks": {"iam.serviceAccountUser"},
        "topic:completions": {"pubsub.publisher"},  # notices
    },
    "status": {
        "bucket:uploads": {"storage.objectViewer"},  # of_object: find, 404 when it is missing
        "bucket:results": {"storage.objectViewer"},  # history: names, read
        "queue:*": {"cloudtasks.viewer"},  # the task of a step that waits: find
        "account:reader": {"iam.serviceAccountTokenCreator"},  # permit_download: signBlob
    },
    "console": {
        "bucket:uploads": {"storage.objectViewer"},  # show, rerun: find
        "bucket:results": {"storage.objectCreator", "storage.objectViewer"},  # rerun: claims, plans; lists, manifests
        "queue:*": {
            "cloudtasks.enqueuer",  # rerun: add
            "queueOperator",  # queues, pause, resume; lists of what is in work
        },
        "account:tasks": {"iam.serviceAccountUser"},
        "account:signer": {"iam.serviceAccountTokenCreator"},  # uploads: signBlob
        "account:reader": {"iam.serviceAccountTokenCreator"},  # previews, download links: signBlob
        "topic:completions": {"pubsub.publisher"},  # rerun: notices where no step has to run
    },
    "sweeper": {
        "bucket:uploads": {"storage.objectViewer"},  # the walk over uploads: list, find
        "bucket:results": {"storage.objectCreator", "storage.objectViewer"},  # enlist, finish: create; index, claims, manifests
        "queue:*": {
            "cloudtasks.enqueuer",  # enlist, settle: add
            "queueOperator",  # at_work: find, state
        },
        "own-queue:sweeper": {"cloudtasks.enqueuer"},  # the next part: add
        "project": {"queueLister"},  # queues_left_behind: names
        "account:tasks": {"iam.serviceAccountUser"},
        "topic:completions": {"pubsub.publisher"},  # settle: notices
    },
    "reader": {"bucket:results": {"storage.objectViewer"}},  # what the link may
    "push": {"service:dispatcher": {"run.invoker"}, "service:notifier": {"run.invoker"}},
    "tasks": {f"service:{name}": {"run.invoker"} for name in ("processor", "notifier", "sweeper")},
    "clock": {"service:sweeper": {"run.invoker"}},
    "build": {
        "bucket:build": {"storage.objectViewer"},
        "repository": {"artifactregistry.writer"},
        "project": {"logging.logWriter"},
    },
    "operators": {
        "bucket:uploads": {"storage.objectViewer"},  # cancel, show: find
        "bucket:results": {"storage.objectCreator", "storage.objectViewer"},  # claims, commit, index entries; lists
        "bucket:build": {"storage.objectViewer"},  # deploy.sh env: the options of the last up
        "queue:*": {
            "cloudtasks.enqueuer",  # rerun: add
            "cloudtasks.taskDeleter",  # cancel: delete
            "queueOperator",  # queues, pause, resume; tasks
        },
        "own-queue:sweeper": {"cloudtasks.enqueuer", "queueOperator"},  # backfill: add, find; parts and pages: pause, resume
        "webhook:*": {
            "cloudtasks.enqueuer",  # webhooks test: add
            "cloudtasks.taskDeleter",  # webhooks test: delete what was not accepted
            "queueOperator",  # webhooks ls, resume
        },
        "account:tasks": {"iam.serviceAccountUser"},
        "topic:completions": {"pubsub.publisher", "pubsub.subscriber"},  # cancel: notices; tail: attach
        "topic:uploads": {"pubsub.publisher"},  # dead-letters replay
        "subscription:dead-letters": {"pubsub.subscriber"},  # dead-letters
        "project": {"operator"},  # deploy.sh env: the project's number; tail: subscribe, pull, delete; sweep: names of queues
    },
    "viewers": {
        "service:console": {"run.invoker"},  # through gcloud run services proxy
        "iap:console": {"iap.httpsResourceAccessor"},
    },
    "agent:iap": {"service:console": {"run.invoker"}},  # passes on what it let in
    "agent:scheduler": {"project": {"cloudscheduler.serviceAgent"}},  # the tokens of the calls of the sweeper
    "agent:storage": {"topic:uploads": {"pubsub.publisher"}},  # the bucket's notification
    "agent:pubsub": {  # the dead-letter policy of the dispatcher's subscription, and the token of its pushes
        "account:push": {"iam.serviceAccountTokenCreator"},
        "topic:dead-letters": {"pubsub.publisher"},
        "subscription:dispatcher": {"pubsub.subscriber"},
    },
}


def resource(on: str) -> list[str]:
    """The full names of a row's resources."""
    kind, _, name = on.partition(":")
    names = {
        "project": [HOME],
        "repository": [f"{PLACE}/repositories/sluice"],
        "bucket": [f"buckets/{PROJECT}-sluice-{name}"],
        "topic": [f"{HOME}/topics/sluice-{name}"],
        "subscription": [f"{HOME}/subscriptions/sluice-{name}"],
        "account": [f"{HOME}/serviceAccounts/{account(name)}"],
        "service": [f"{PLACE}/services/sluice-{service}" for service in services(name)],
        "queue": [f"{PLACE}/queues/sluice-{queue}" for queue in QUEUES],
        "own-queue": [f"{PLACE}/queues/sluice-{name}"],
        "webhook": [f"{PLACE}/queues/sluice-webhook-{webhook}" for webhook in WEBHOOKS],
        "secret": [f"{SECRETS}sluice-{name}"],
        "webhook-secret": [f"{SECRETS}{secret}" for secret in WEBHOOK_SECRETS],
        "iap": [f"{HOME}/iap_web/cloud_run-us-central1/services/sluice-{name}"],
    }
    return names[kind]


def services(function: str) -> list[str]:
    """The services, and their accounts, that a name in the table stands for: the processor is one for each pool."""
    return list(PROCESSORS.values()) if function == "processor" else [function]


def expected(table: Grants, operators: Sequence[str] = ()) -> Iterator[Cell]:
    for row in table:
        if row["when"] != "always":
            continue
        role = row["role"] if row["role"].startswith("roles/") else f"{HOME}/roles/sluice.{row['role']}"
        accounts = [AGENTS.get(name, f"serviceAccount:{account(name)}") for name in services(row["member"])]
        for name in resource(row["on"]):
            yield from ((name, role, member) for member in (operators if row["member"] == "operators" else accounts))


def cells(deployed: Deployed) -> list[Cell]:
    return granted(deployed.first)


def granted(run: Run) -> list[Cell]:
    """Every grant, except Google's defaults and the deployer's own."""
    return [
        (name, binding["role"], member)
        for name, policy in run.state["policies"].items()
        for binding in policy.get("bindings", [])
        for member in binding["members"]
        if not member.startswith(("projectOwner:", "projectEditor:", "projectViewer:", "user:deployer@"))
    ]


def of(deployed: Deployed, name: str) -> set[tuple[str, str]]:
    member = f"serviceAccount:{account(name)}"
    return {(resource, role) for resource, role, who in cells(deployed) if who == member}


def test_the_policies_are_the_table_no_more_and_no_less(deployed: Deployed, table: Grants) -> None:
    assert sorted(cells(deployed)) == sorted(expected(table))


def test_the_table_gives_what_the_code_calls_no_more_and_no_less(table: Grants) -> None:
    given: dict[str, dict[str, set[str]]] = {}
    for row in table:
        if row["member"] != "allUsers":
            roles = given.setdefault(row["member"], {}).setdefault(row["on"], set())
            roles.add(row["role"].removeprefix("roles/"))

    assert given == NEEDED


def test_only_doors_the_console_tasks_that_name_an_account_extraction_and_types_have_conditions(table: Grants) -> None:
    conditions = {(row["on"], row["member"]): row["when"] for row in table if row["when"] != "always"}

    assert conditions == {
        ("bucket:uploads", "processor"): "uses=archive.extract",
        ("bucket:uploads", "dispatcher"): "routes=by_bytes",
        ("account:tasks", "upload"): "queue-auth=task",
        ("account:tasks", "dispatcher"): "queue-auth=task",
        ("account:tasks", "processor"): "queue-auth=task",
        ("account:tasks", "notifier"): "queue-auth=task",
        ("account:tasks", "operators"): "queue-auth=task",
        ("account:tasks", "console"): "queue-auth=task",
        ("account:tasks", "sweeper"): "queue-auth=task",
        ("service:console", "viewers"): "console-access=invoker",
        ("service:console", "agent:iap"): "console-access=iap",
        ("iap:console", "viewers"): "console-access=iap",
        **{(f"service:{name}", "allUsers"): f"open={name}" for name in ("upload", "issuer", "status")},
    }


def test_no_grant_is_listed_twice(table: Grants) -> None:
    rows = Counter((row["on"], row["role"], row["member"]) for row in table)

    assert [row for row, count in rows.items() if count > 1] == []


def test_every_row_says_why(table: Grants) -> None:
    assert [row for row in table if not row["why"]] == []


def test_strangers_are_let_in_nowhere(deployed: Deployed) -> None:
    assert [cell for cell in cells(deployed) if cell[2].startswith("all")] == []


def test_no_role_is_broad(deployed: Deployed) -> None:
    broad = ("roles/owner", "roles/editor", "roles/viewer", "admin")

    assert [cell for cell in cells(deployed) if any(word in cell[1].lower() for word in broad)] == []


def test_only_the_builds_log_and_the_names_of_queues_are_granted_to_an_account_on_the_whole_project(deployed: Deployed) -> None:
    on_project = [(role, member) for name, role, member in cells(deployed) if name == HOME and account("")[7:] in member]

    assert sorted(on_project) == [
        (f"{HOME}/roles/sluice.queueLister", f"serviceAccount:{account('sweeper')}"),
        ("roles/logging.logWriter", f"serviceAccount:{account('build')}"),
    ]


def test_no_account_has_two_jobs(deployed: Deployed) -> None:
    runs_as = {
        name.removeprefix(f"{PLACE}/services/sluice-"): value["spec"]["template"]["spec"]["serviceAccountName"]
        for name, value in deployed.first.state["resources"].items()
        if name.startswith(f"{PLACE}/services/")
    }

    assert runs_as == {name: account(name) for name in ALL_SERVICES}
    made = [name for name in deployed.first.state["resources"] if name.startswith(f"{HOME}/serviceAccounts/")]
    assert sorted(made) == sorted(f"{HOME}/serviceAccounts/{account(name)}" for name in EVERYBODY)


@pytest.mark.parametrize("name", ["signer", "reader"])
def test_an_account_that_runs_no_code_has_one_right(deployed: Deployed, name: str) -> None:
    assert len(of(deployed, name)) == 1


def test_the_tasks_account_may_call_every_pool_notifier_and_sweeper_and_nothing_else(deployed: Deployed) -> None:
    called = [*PROCESSORS.values(), "notifier", "sweeper"]

    assert of(deployed, "tasks") == {(f"{PLACE}/services/sluice-{name}", "roles/run.invoker") for name in called}


def test_the_push_account_may_call_the_dispatcher_and_the_notifier_and_nothing_else(deployed: Deployed) -> None:
    called = ["dispatcher", "notifier"]

    assert of(deployed, "push") == {(f"{PLACE}/services/sluice-{name}", "roles/run.invoker") for name in called}


def test_the_clock_may_call_the_sweeper_and_nothing_else(deployed: Deployed) -> None:
    assert of(deployed, "clock") == {(f"{SERVICES}sweeper", "roles/run.invoker")}


def test_only_the_sweeper_adds_to_its_own_queue(deployed: Deployed) -> None:
    adding = [who for name, role, who in cells(deployed) if name == f"{PLACE}/queues/sluice-sweeper" and "enqueuer" in role]

    assert adding == [f"serviceAccount:{account('sweeper')}"]


def test_the_account_of_each_pool_has_the_rights_of_a_processor(deployed: Deployed) -> None:
    rights = {
        (UPLOADS, "roles/storage.objectViewer"),
        (RESULTS, "roles/storage.objectCreator"),
        (RESULTS, "roles/storage.objectViewer"),
        (f"{HOME}/topics/sluice-completions", "roles/pubsub.publisher"),
        *((f"{PLACE}/queues/sluice-{queue}", "roles/cloudtasks.enqueuer") for queue in QUEUES),
    }

    assert {name: of(deployed, name) for name in PROCESSORS.values()} == dict.fromkeys(PROCESSORS.values(), rights)


def test_the_issuer_has_no_right_but_to_sign_as_the_signer_and_its_secret(deployed: Deployed) -> None:
    assert of(deployed, "issuer") == {
        (f"{HOME}/serviceAccounts/{account('signer')}", "roles/iam.serviceAccountTokenCreator"),
        (f"{SECRETS}sluice-keys", "roles/secretmanager.secretAccessor"),
    }


def test_no_account_can_overwrite_or_delete_an_object(deployed: Deployed) -> None:
    on_buckets = {role for name, role, _ in cells(deployed) if name in (UPLOADS, RESULTS)}

    assert on_buckets == {
        "roles/storage.objectCreator",
        "roles/storage.objectViewer",
        "roles/storage.legacyObjectReader",
    }


def test_only_the_processors_dispatcher_sweeper_and_console_write_results(deployed: Deployed) -> None:
    writers = {who for name, role, who in cells(deployed) if name == RESULTS and role == "roles/storage.objectCreator"}

    assert writers == {f"serviceAccount:{account(name)}" for name in ("dispatcher", "sweeper", "console", *PROCESSORS.values())}


def test_no_account_acts_as_one_that_runs_a_service(deployed: Deployed) -> None:
    acted_as = {name for name, _, _ in cells(deployed) if "/serviceAccounts/" in name}

    assert acted_as == {f"{HOME}/serviceAccounts/{account(name)}" for name in ("signer", "reader", "push")}


@dataclass(frozen=True)
class Operated:
    """`up` with two operators, the same again, and with one of them; then `down`."""

    both: Run
    again: Run
    one: Run
    down: Run


@pytest.fixture(scope="module")
def operated(project: Project, deployed: Deployed) -> Operated:
    project.bring_back(deployed.kept)
    both = f"--operators={','.join(OPERATORS)}"
    first, again = project.run("up", both), project.run("up", both)
    return Operated(first, again, project.run("up", f"--operators={OPERATORS[0]}", "--yes"), project.run("down"))


@pytest.mark.long
def test_operators_have_the_rights_of_the_table_no_more_and_no_less(operated: Operated, table: Grants) -> None:
    assert operated.both.status == 0, operated.both.complaints
    assert sorted(granted(operated.both)) == sorted(expected(table, OPERATORS))


@pytest.mark.long
def test_a_second_up_with_the_same_operators_changes_nothing(operated: Operated) -> None:
    assert operated.again.mutations == []
    assert operated.again.printed.startswith("0 changes: everything is as it should be.\n")


@pytest.mark.long
def test_a_former_operator_has_no_right_left(operated: Operated, table: Grants) -> None:
    assert sorted(granted(operated.one)) == sorted(expected(table, OPERATORS[:1]))


@pytest.mark.long
def test_down_leaves_no_grant_of_an_operator(operated: Operated) -> None:
    assert [cell for cell in granted(operated.down) if cell[2] in OPERATORS] == []


@pytest.mark.long
def test_custom_roles_have_these_permissions(operated: Operated) -> None:
    """Cell by cell: none of them deletes a queue, purges it, or reaches a message without a subscription."""
    made = {
        name.rpartition(".")[2]: set(role["includedPermissions"])
        for name, role in operated.both.state["resources"].items()
        if name.startswith(f"{HOME}/roles/")
    }

    assert made == {
        "queueOperator": {
            *(f"cloudtasks.queues.{verb}" for verb in ("get", "pause", "resume")),
            *(f"cloudtasks.tasks.{verb}" for verb in ("get", "list", "fullView")),
        },
        "operator": {
            *(f"pubsub.subscriptions.{verb}" for verb in ("create", "consume", "delete")),
            "resourcemanager.projects.get",
            "cloudtasks.queues.list",
        },
        "queueLister": {"cloudtasks.queues.list"},
    }


def test_without_operators_there_are_only_the_custom_roles_of_console_and_sweeper(deployed: Deployed) -> None:
    made = [name for name in deployed.first.state["resources"] if name.startswith(f"{HOME}/roles/")]

    assert sorted(made) == [f"{HOME}/roles/sluice.queueLister", f"{HOME}/roles/sluice.queueOperator"]


def test_the_docs_print_the_table(table: Grants) -> None:
    docs = (ROOT / "docs" / "deploy.md").read_text()
    rows = [f"| {row['on']} | {row['role'].removeprefix('roles/')} | {row['member']} | {row['why']} |" for row in table]

    assert [row for row in rows if row not in docs] == []
