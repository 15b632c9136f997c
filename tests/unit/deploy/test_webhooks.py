"""Webhooks: what pipeline.toml asks for is made, what it has no longer goes, and faults have their remedy."""

import io
from dataclasses import replace
from pathlib import Path

import pytest

from deploy import grants, left, pubsub, queues, reading, services, webhooks
from deploy.deployment import Deployment
from deploy.down import down
from deploy.errors import Failed
from deploy.kinds import Account, Bucket, Grant, Queue, Service, Subscription, Version
from deploy.running import Runner
from deploy.variables import Secret, mounts
from tests.unit.deploy.example import PIPELINE, WEBHOOKS, deployment
from tests.unit.deploy.test_changes import commands

NOTIFIER = "https://sluice-notifier-42.us-central1.run.app"
ROW = ("notifier", "1", "512Mi", "80", "60", "2", "internal")
ACCOUNT = "serviceAccount:sluice-notifier@demo-project.iam.gserviceaccount.com"


@pytest.fixture
def it(tmp_path: Path) -> Deployment:
    return complete(deployment(tmp_path, text=PIPELINE + WEBHOOKS))


def complete(it: Deployment) -> Deployment:
    """The deployment, with all that its webhooks need."""
    it.state.apis = {f"{name}.googleapis.com" for name in it.listing.apis}
    it.state.secrets = {"orders": (Version(1),), "audit": (Version(3),), "sluice-keys": (Version(1),)}
    wanted = pubsub._push(it, "completions", "notifier", NOTIFIER)
    it.state.subscriptions["sluice-notifier"] = replace(wanted, expires="")
    it.state.queues = {f"sluice-{name}": replace(queue, state="RUNNING") for name, queue in queues._wanted(it)}
    it.state.policies = {resource: grants.wanted(it, resource) for resource in grants.resources(it)}
    return it


def test_each_webhook_has_a_queue_whose_tasks_go_to_the_notifier_for_three_days(it: Deployment) -> None:
    it.state.queues.clear()
    made = [command for command in commands(queues.new_queues(it)) if "webhook" in command]

    assert [command.split()[3] for command in made] == [f"sluice-webhook-{name}" for name in ("orders", "shop", "audit")]
    for command in made:
        assert " --max-attempts=100 --max-retry-duration=259200s --min-backoff=5s --max-backoff=3600s " in command
        assert f"host:{NOTIFIER.removeprefix('https://')},mode:ALWAYS" in command
        assert command.endswith(f"--http-oidc-token-audience-override={NOTIFIER}")


def test_with_tasks_that_name_their_target_the_queue_has_none(tmp_path: Path) -> None:
    it = deployment(tmp_path, text=PIPELINE + WEBHOOKS, queue_auth="task")

    assert "http" not in commands(queues.new_queues(it))[-1]


def test_notices_are_pushed_to_the_notifier_until_it_takes_them(it: Deployment) -> None:
    assert commands(pubsub.notices_subscription(it, "notifier", "completions")) == []
    assert commands(left.retired_subscription(it)) == []
    it.state.subscriptions.clear()
    (command,) = commands(pubsub.notices_subscription(it, "notifier", "completions"))

    assert command == (
        "pubsub subscriptions create sluice-notifier --topic=sluice-completions --labels=sluice=sluice "
        f"--ack-deadline=60 --expiration-period=never --message-retention-duration=7d --push-endpoint={NOTIFIER} "
        "--push-auth-service-account=sluice-push@demo-project.iam.gserviceaccount.com "
        f"--push-auth-token-audience={NOTIFIER} --min-retry-delay=1s --max-retry-delay=60s"
    )


def test_the_notifier_has_each_secret_once_as_a_file_of_its_newest_version(it: Deployment) -> None:
    it.image = "IMAGE"
    (command,) = commands(services.service(it, *ROW))

    assert " --set-secrets=/secrets/audit/value=audit:latest,/secrets/orders/value=orders:latest " in command
    assert services.settings(it)["SLUICE_NOTIFIER_URL"] == NOTIFIER


def test_the_files_of_a_service_are_read_from_its_volumes() -> None:
    volumes = [
        {"name": "a", "secret": {"secretName": "orders", "items": [{"key": "latest", "path": "value"}]}},
        {"name": "b", "emptyDir": {}},
    ]
    mounted = [{"name": "a", "mountPath": "/secrets/orders"}, {"name": "b", "mountPath": "/cache"}]

    found = mounts({"volumes": volumes, "containers": [{"volumeMounts": mounted}]})
    assert found == (("/secrets/orders/value", Secret("orders:latest")),)
    assert mounts({"containers": [{}]}) == mounts(None) == ()


def test_a_webhook_that_is_added_is_a_change_of_the_service(it: Deployment) -> None:
    it.image = "IMAGE"
    wanted = Service(mounts=(("/secrets/orders/value", Secret("orders:latest")),), variables={})
    it.state.services["sluice-notifier"] = wanted

    assert len(commands(services.service(it, *ROW))) == 1


def test_without_webhooks_there_is_no_notifier(tmp_path: Path) -> None:
    it = deployment(tmp_path)

    assert [line for line in it.listing.lines if "notifier" in line.arguments] == []
    assert "notifier" not in it.listing.services + it.listing.accounts + it.listing.subscriptions
    assert "SLUICE_NOTIFIER_URL" not in services.settings(it)
    assert "notifier" not in str([grants.wanted(it, resource) for resource in grants.resources(it)])


def test_the_notifier_has_its_rights_on_the_queues_of_webhooks_and_no_other(it: Deployment) -> None:
    rights = {
        (resource, grant.role.rpartition("/")[2])
        for resource in grants.resources(it)
        for grant in grants.wanted(it, resource)
        if grant.member == ACCOUNT
    }
    on_queues = {(f"webhook:webhook-{name}", "cloudtasks.enqueuer") for name in ("orders", "shop", "audit")}

    assert {pair for pair in rights if pair[1] == "cloudtasks.enqueuer"} == on_queues
    assert {pair for pair in rights if "ecret" in pair[0]} == {
        (f"webhook-secret:{name}", "secretmanager.secretAccessor") for name in ("orders", "audit")
    }
    assert not [grant for grant in grants.wanted(it, "webhook:webhook-orders") if "upload" in grant.member]


@pytest.mark.parametrize(
    ("written", "complaint"),
    [
        ('url = "http://127.0.0.1:9/x"\nsecret = "secret-manager:a"', "webhooks.a.url: http://127.0.0.1:9/x is no https"),
        ('url = "https://10.0.0.1/"\nsecret = "secret-manager:a"', "webhooks.a.url: 10.0.0.1 is no public address"),
        ('url = "https://localhost/"\nsecret = "secret-manager:a"', "webhooks.a.url: localhost is this computer"),
        ('url = "https://a.test/"\nsecret = "env:SLUICE_SECRET_A"', "webhooks.a.secret: env:SLUICE_SECRET_A is for the local"),
        ('url = "https://a.test/"\nsecret = "secret-manager:sluice-keys"', "webhooks.a.secret: sluice-keys is Sluice's own"),
    ],
)
def test_what_works_on_this_computer_only_is_refused(written: str, complaint: str, tmp_path: Path) -> None:
    it = deployment(tmp_path, text=f"{PIPELINE}\n[webhooks.a]\n{written}\n")
    with pytest.raises(Failed, match=complaint):
        webhooks.check(it)


@pytest.mark.parametrize(("count", "instances", "remedy"), [(15, "2", ""), (16, "2", "3"), (7, "1", ""), (8, "1", "2")])
def test_receivers_that_hang_leave_room_for_the_others(count: int, instances: str, remedy: str, tmp_path: Path) -> None:
    tables = [f'[webhooks.a{number}]\nurl = "https://a.test/"\nsecret = "secret-manager:a"\n' for number in range(count)]
    it = deployment(tmp_path, text="\n".join([PIPELINE, *tables]), instances=instances)

    try:
        webhooks.check(it)
        said = ""
    except Failed as refused:
        said = str(refused)
    assert said.partition("--instances ")[2] == remedy


def test_right_webhooks_are_not_refused(it: Deployment) -> None:
    webhooks.check(it)
    webhooks.require_secrets(it)


def test_up_is_refused_while_a_secret_is_missing(it: Deployment) -> None:
    del it.state.secrets["orders"]
    with pytest.raises(Failed, match="the secret orders of the webhook orders, shop is missing") as refused:
        webhooks.require_secrets(it)

    assert 'echo "whsec_$(openssl rand -base64 32)" | gcloud secrets create orders --data-file=- ' in str(refused.value)


@pytest.mark.parametrize(("command", "notes"), [("plan", 1), ("status", 1), ("down", 0), ("doctor", 0)])
def test_other_commands_go_on_without_a_secret(
    command: str, notes: int, it: Deployment, capsys: pytest.CaptureFixture[str]
) -> None:
    it.options = replace(it.options, command=command)
    it.state.secrets["audit"] = (Version(3, is_enabled=False),)
    webhooks.require_secrets(it)

    said = capsys.readouterr().err
    assert said.count("the secret audit of the webhook audit is without a version that is enabled") == notes
    assert said.count("| gcloud secrets versions add audit --data-file=-") == notes


def test_the_api_comes_before_the_secret(it: Deployment) -> None:
    it.state.apis.clear()
    it.state.secrets.clear()
    ((_, fix), *_others) = webhooks.missing(it)

    assert fix.startswith("gcloud services enable secretmanager.googleapis.com && echo ")


def test_webhooks_in_order_have_no_fault(it: Deployment) -> None:
    assert list(webhooks.faults(it)) == []


def test_doctor_names_the_faults_of_webhooks_and_their_remedies(it: Deployment) -> None:
    it.state.queues["sluice-webhook-orders"] = Queue(state="PAUSED")
    del it.state.queues["sluice-webhook-shop"]
    del it.state.secrets["audit"]
    it.state.subscriptions["sluice-notifier"] = Subscription("sluice-completions", audience="https://elsewhere.test")
    it.state.policies["service:notifier"] = [Grant("roles/run.invoker", "allUsers")]
    faults = dict(webhooks.faults(it))

    assert [what[:60] for what in faults] == [
        "the secret audit of the webhook audit is missing",
        "Pub/Sub may not call sluice-notifier (missing invoker): webh",
        "Cloud Tasks may not call sluice-notifier (missing invoker): ",
        "strangers may call sluice-notifier",
        "wrong audience, account or endpoint: sluice-notifier pushes ",
        "paused webhook: orders gets nothing; its receiver answered 4",
        "the queue sluice-webhook-shop is missing: the webhook shop g",
    ]
    remedy = next(fix for what, fix in faults.items() if what.startswith("paused"))
    assert remedy == "./sluice webhooks resume orders"


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("audience", "https://elsewhere.test"),
        ("account", "https://elsewhere.test"),
        ("endpoint", "https://elsewhere.test"),
        ("endpoint", f"{NOTIFIER}.elsewhere.test"),
    ],
)
def test_doctor_sees_pushes_that_the_notifier_refuses(it: Deployment, field: str, wrong: str) -> None:
    found = it.state.subscriptions["sluice-notifier"]
    changed: dict[str, str] = {field: wrong}
    it.state.subscriptions["sluice-notifier"] = replace(found, **changed)  # type: ignore[arg-type]
    ((what, fix),) = webhooks.faults(it)

    assert what.startswith("wrong audience, account or endpoint: sluice-notifier pushes notices")
    assert fix == "./deploy.sh up"


def test_up_resumes_the_queue_of_a_webhook_only_where_down_paused_it(it: Deployment) -> None:
    it.state.queues |= {f"sluice-webhook-{name}": Queue(state="PAUSED") for name in ("orders", "shop")}
    it.state.buckets["demo-project-sluice-uploads"] = Bucket(paused=frozenset(["webhook-shop"]))
    it.options = replace(it.options, yes=True)
    queues.hold(it)

    assert commands(queues.resume_queues(it)) == [
        "tasks queues resume sluice-webhook-shop --location=us-central1",
        "storage buckets update gs://demo-project-sluice-uploads --remove-labels=paused-webhook-shop",
    ]


def test_an_answer_about_other_queues_resumes_no_webhook(it: Deployment) -> None:
    it.state.queues |= {f"sluice-{name}": Queue(state="PAUSED") for name in ("images", "webhook-orders")}
    it.state.buckets["demo-project-sluice-uploads"] = Bucket()
    queues.hold(it)  # no terminal, so no answer

    assert it.held == {"images", "webhook-orders"}


def without_webhooks(folder: Path, command: str = "up") -> Deployment:
    """A deployment whose last webhook is gone from pipeline.toml."""
    it = deployment(folder, command)
    it.state.services["sluice-notifier"] = Service(variables={"FUNCTION_TARGET": "notifier"})
    it.state.accounts[it.email("notifier")] = Account("Sluice notifier")
    it.state.subscriptions["sluice-notifier"] = Subscription("sluice-completions")
    it.state.queues["sluice-webhook-orders"] = Queue(host=NOTIFIER.removeprefix("https://"))
    it.state.policies["bucket:results"] = [*grants.wanted(it, "bucket:results"), Grant("roles/storage.objectViewer", ACCOUNT)]
    return it


def test_after_the_last_webhook_the_push_ends_and_the_notifier_is_named(tmp_path: Path) -> None:
    it = without_webhooks(tmp_path)
    (what, _, delete), (queue, *_) = left.notes(it)

    assert what.endswith("pipeline.toml has no webhook, and the queues sluice-webhook-orders still call it")
    assert queue.startswith("the queue sluice-webhook-orders is left behind: pipeline.toml does not have it")
    assert delete == "gcloud run services delete sluice-notifier --region=us-central1"
    assert commands(left.retired_subscription(it)) == ["pubsub subscriptions delete sluice-notifier"]
    assert commands(left.retired_accounts(it)) + commands(grants.revocations(it)) == []


def test_down_pauses_the_queues_of_webhooks(it: Deployment) -> None:
    printed = io.StringIO()
    it.options = replace(it.options, command="down")
    down(it, Runner(None, printed))

    for name in ("orders", "shop", "audit"):
        assert f"tasks queues pause sluice-webhook-{name} " in printed.getvalue()


def test_down_ends_the_push_of_a_notifier_that_is_wanted_no_more(tmp_path: Path) -> None:
    printed = io.StringIO()
    down(without_webhooks(tmp_path, "down"), Runner(None, printed))

    assert "pubsub subscriptions delete sluice-notifier" in printed.getvalue()


def test_once_its_service_is_deleted_its_rights_and_its_account_go(tmp_path: Path) -> None:
    it = without_webhooks(tmp_path)
    it.state.services.clear()

    assert [command.split()[-2] for command in commands(grants.revocations(it))] == [f"--member={ACCOUNT}"]
    assert commands(left.retired_accounts(it)) == [f"iam service-accounts delete {it.email('notifier')}"]


def test_the_versions_of_ours_and_of_the_webhooks_secrets_are_read(it: Deployment) -> None:
    it.state.secrets = dict.fromkeys(("sluice-keys", "orders", "strangers"), ())
    asked = {key: command for key, command in reading.belongings(it).items() if key.startswith("versions")}

    assert asked == {f"versions.{name}": ["secrets", "versions", "list", name] for name in ("sluice-keys", "orders")}
    reading.fill_belongings(it, {"versions.orders": [{"name": "projects/42/secrets/orders/versions/7", "state": "DISABLED"}]})
    assert it.state.secrets["orders"] == (Version(7, is_enabled=False),)
