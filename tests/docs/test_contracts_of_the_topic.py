"""docs/contracts/notices.asyncapi.json: valid AsyncAPI, right about messages and requests of webhooks."""

import copy
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from jsonschema import Draft7Validator

from shared.contracts import topic
from shared.events import JOB_FINISHED, STEP_FINISHED, Notice
from shared.model import File, Run
from shared.settings import ROOT
from shared.testing import FakeCloud
from shared.webhooks import attempts
from tests import contracts
from tests.conftest import DATA
from tests.docs import blocks
from tests.receivers import SECRET, Receiver, receiving
from tests.unit.webhooks.worlds import ended, pushed, with_webhooks

#: AsyncAPI's own schema, without the definitions of bindings and of other schema languages.
ASYNCAPI = Draft7Validator(json.loads((DATA / "asyncapi-3.0.0.json").read_text()))
PRINTED = [json.loads(block.text) for block in blocks.read(ROOT / "docs" / "notices.md") if block.language == "json"]


@pytest.fixture
def whole() -> dict[str, Any]:
    return copy.deepcopy(topic.document())


def test_the_document_is_valid_asyncapi(whole: dict[str, Any]) -> None:
    assert [error.message for error in ASYNCAPI.iter_errors(whole)] == []


@pytest.mark.parametrize(
    "plant",
    [
        lambda whole: whole.pop("info"),
        lambda whole: whole["operations"]["post_notice"].update(action="shout"),
        lambda whole: whole["channels"]["completions"].update(colour="red"),
        lambda whole: whole["components"]["messages"]["step"].update(payload=7),
        lambda whole: whole["components"]["schemas"]["step"].update(type="strng"),
    ],
)
def test_a_planted_fault_is_found(whole: dict[str, Any], plant: Callable[[dict[str, Any]], None]) -> None:
    plant(whole)

    assert len(list(ASYNCAPI.iter_errors(whole))) == 1


def test_each_reference_leads_somewhere(whole: dict[str, Any]) -> None:
    found = list(_references(whole))

    assert len(found) > 10
    assert all(contracts.resolved({"$ref": pointer}, whole) for pointer in found)


def _references(value: Any) -> list[str]:
    if isinstance(value, list):
        return [pointer for item in value for pointer in _references(item)]
    if not isinstance(value, dict):
        return []
    mine = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
    return mine + [pointer for item in value.values() for pointer in _references(item)]


@pytest.mark.parametrize(("kind", "name"), [(STEP_FINISHED, "step"), (JOB_FINISHED, "job")])
def test_the_printed_message_and_its_webhook_keep_to_the_document(whole: dict[str, Any], kind: str, name: str) -> None:
    attributes, data = next(pair for pair in zip(PRINTED[::2], PRINTED[1::2], strict=True) if pair[0]["ce-type"] == kind)
    posted = {key.removeprefix("ce-"): value for key, value in attributes.items() if key != "content-type"}
    posted |= {"datacontenttype": "application/json", "data": data}

    assert _faults(whole, f"{name}_attributes", attributes) == []
    assert _faults(whole, name, data) == []
    assert _faults(whole, f"{name}_event", posted) == []
    assert _faults(whole, f"{name}_event", posted | {"type": "else", "data": {}}) != []


def _faults(whole: dict[str, Any], schema: str, value: Any) -> list[str]:
    rooted = {"$ref": f"#/components/schemas/{schema}", "components": whole["components"]}
    unlisted = [f"{path} is not listed" for path in contracts.unlisted(value, rooted, rooted)]
    return [error.message for error in contracts.validator(rooted).iter_errors(value)] + unlisted


def test_what_the_notifier_posts_keeps_to_the_files(
    cloud: FakeCloud, uploaded: Callable[..., File], photo: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLUICE_SECRET_TEST", SECRET)
    cloud.settings = replace(cloud.settings, webhook_loopback=True)
    whole = json.loads((contracts.FOLDER / "notices.asyncapi.json").read_text())
    run = Run(uploaded("cat.jpg", photo))
    with receiving(Receiver()) as receiver:
        with_webhooks(cloud, receiver.toml("orders", more='notices = ["step", "job"]'))
        for delivery in pushed(cloud, ended(cloud, run, cloud.routes.plan(run.file))):
            attempts.attempt(delivery, cloud)

    posted = [(one.headers, json.loads(one.body)) for one in receiver.posted]
    assert {event["type"] for _, event in posted} == {STEP_FINISHED, JOB_FINISHED}
    for headers, event in posted:
        name = contracts.KINDS[event["type"]]
        assert list(contracts.schema_of(event["type"]).iter_errors(event["data"])) == []
        assert _faults(whole, f"{name}_event", event) == []
        assert list(contracts.validator(whole["components"]["schemas"]["webhook_headers"]).iter_errors(headers)) == []


@pytest.mark.parametrize(
    ("signature", "is_right"),
    [
        (f"v1,{'A' * 43}=", True),
        (f"v1,{'A' * 43}= v1,{'B' * 43}=", True),
        ("v1,AAAA", False),
        ("sha256=AAAA", False),
    ],
)
def test_the_headers_of_a_webhook_are_those_of_standard_webhooks(signature: str, is_right: bool) -> None:
    headers = {"webhook-id": "msg_1", "webhook-timestamp": "1795852017", "webhook-signature": signature}

    assert contracts.validator(topic.HEADERS).is_valid(headers) == is_right


def test_the_document_has_the_schemas_of_the_notices(whole: dict[str, Any]) -> None:
    """A notice that keeps to its own schema keeps to this document too."""
    step = json.loads((ROOT / "docs" / "contracts" / "step.schema.json").read_text())

    assert whole["components"]["schemas"]["step"]["required"] == step["required"]
    assert whole["components"]["schemas"]["step"]["properties"].keys() == step["properties"].keys()
    assert contracts.faults(Notice(json.dumps(PRINTED[1]).encode(), PRINTED[0])) == []
