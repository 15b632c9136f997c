"""The webhooks of pipeline.toml: their defaults, and each mistake with a right value."""

import pytest

from shared import routes
from shared.errors import BadConfiguration
from tests.unit.pipelines import QUEUE, ROUTE, STEP, WHOLE

VERDICTS = ("succeeded", "failed", "dead", "superseded", "gone", "skipped", "partial")
RIGHT = {"url": '"https://orders.test/sluice"', "secret": '"secret-manager:orders"'}


def toml(name: str = "orders", **values: str) -> str:
    """A pipeline with one webhook; the values are TOML, and an empty one leaves its key out."""
    lines = [f"{key} = {value}" for key, value in (RIGHT | values).items() if value]
    return "\n".join([WHOLE, f"[webhooks.{name}]", *lines])


def refusal(text: str) -> str:
    with pytest.raises(BadConfiguration) as refused:
        routes.parse(text)
    return refused.value.message


def test_a_pipeline_without_webhooks_has_none() -> None:
    assert routes.parse(WHOLE).webhooks == {}


def test_a_webhook_gets_the_notices_of_all_jobs() -> None:
    (webhook,) = routes.parse(toml()).webhooks.values()

    assert (webhook.name, webhook.url, webhook.secret) == ("orders", "https://orders.test/sluice", "secret-manager:orders")
    assert (webhook.notices, webhook.verdicts) == (("job",), VERDICTS)
    assert webhook.queue == "webhook-orders"


def test_a_webhook_chooses_kinds_and_verdicts_once() -> None:
    webhook = routes.parse(toml(notices='["step", "job", "step"]', verdicts='["dead"]')).webhooks["orders"]

    assert (webhook.notices, webhook.verdicts) == (("step", "job"), ("dead",))


def test_the_query_of_a_url_is_not_shown() -> None:
    webhook = routes.parse(toml(url='"https://orders.test:8443/a?token=hidden"')).webhooks["orders"]

    assert webhook.url == "https://orders.test:8443/a?token=hidden"
    assert webhook.shown == "https://orders.test:8443/a"


@pytest.mark.parametrize("url", ["http://127.0.0.1:9999/", "http://localhost:1/a", "http://[::1]:80"])
def test_a_receiver_on_this_computer_may_use_http(url: str) -> None:
    assert routes.parse(toml(url=f'"{url}"')).webhooks["orders"].url == url


@pytest.mark.parametrize("secret", ["env:SLUICE_SECRET_ORDERS", "secret-manager:a", "secret-manager:A_b-9"])
def test_a_secret_is_a_variable_or_a_secret_of_the_project(secret: str) -> None:
    assert routes.parse(toml(secret=f'"{secret}"')).webhooks["orders"].secret == secret


@pytest.mark.parametrize(
    ("key", "value", "right"),
    [
        ("url", "", "write a URL such as `https://"),
        ("url", "5", "write a URL such as `https://"),
        ("url", '"http://orders.test/"', "http is for services on the same computer"),
        ("url", '"ftp://orders.test/"', "http is for services on the same computer"),
        ("url", '"https://user:word@orders.test/"', "write one such as https://"),
        ("url", '"https://orders.test/#a"', "write one such as https://"),
        ("url", '"https://orders.test:0/"', "write a URL with a port above 0"),
        ("url", '"https://orders.test:99999/"', "write one such as https://"),
        ("url", '"https://orders.test/a b"', "write one such as https://"),
        ("url", f'"https://orders.test/{"a" * 2030}"', "of at most 2048 characters"),
        ("secret", "", "write `secret-manager:`"),
        ("secret", '"whsec_abc"', "write `secret-manager:`"),
        ("secret", '"env:PATH"', "write `secret-manager:`"),
        ("secret", '"secret-manager:../a"', "write `secret-manager:`"),
        ("secret", '"secret-manager:a\\n"', "write `secret-manager:`"),
        ("notices", "[]", "list some of job, step"),
        ("notices", '"job"', "list some of job, step"),
        ("notices", '["file"]', "list some of job, step"),
        ("notices", "[5]", "list some of job, step"),
        ("verdicts", '["failed", "bad"]', "list some of succeeded, failed, dead, superseded, gone, skipped, partial"),
    ],
)
def test_a_wrong_value_is_named_with_a_right_one(key: str, value: str, right: str) -> None:
    message = refusal(toml(**{key: value}))

    assert message.startswith(f"webhooks.orders.{key}: ")
    assert right in message
    assert "\n" not in message


@pytest.mark.parametrize("name", ["A", "a_b", "1", "a" * 32, '"a/b"'])
def test_a_wrong_name_is_named(name: str) -> None:
    assert "a name takes lower-case letters, digits and hyphens" in refusal(toml(name))


def test_an_unknown_key_is_named() -> None:
    assert (
        refusal(toml(steps='["a"]')) == "webhooks.orders.steps: unknown key; the keys here are url, secret, notices, verdicts"
    )


def test_an_empty_table_is_refused() -> None:
    assert refusal(WHOLE + "[webhooks]\n") == "webhooks: {} is not allowed; write a table [webhooks.<name>]"


def test_a_queue_of_steps_never_takes_the_name_of_a_webhooks_queue() -> None:
    text = QUEUE.replace("images", "webhook-orders") + STEP.replace('"images"', '"webhook-orders"') + ROUTE

    assert refusal(text) == "queues.webhook-orders: the queues of webhooks begin with webhook-; rename it"
