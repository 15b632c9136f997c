"""Messages that Cloud Storage never sends, pushed to the dispatcher: each is put aside at once."""

import base64
import json
from typing import Any

import pytest

from shared.operations import dead_letters
from shared.testing import FakeCloud
from tests.functions.calls import PUSH_PATH, Load, refused

DEEP = b"[" * 100_000 + b"]" * 100_000
RIGHT = {"size": "5", "contentType": "text/plain", "crc32c": "AAAAAA=="}


def pushed(payload: bytes | dict[str, Any], **changed: Any) -> bytes:
    """The body of a push with this payload."""
    data = payload if isinstance(payload, bytes) else json.dumps(RIGHT | payload).encode()
    attributes = {"eventType": "OBJECT_FINALIZE", "bucketId": "uploads", "objectId": "a", "objectGeneration": "7"} | changed
    message = {"attributes": attributes, "data": base64.b64encode(data).decode(), "messageId": "1"}
    return json.dumps({"message": message, "subscription": "projects/p/subscriptions/s"}).encode()


def sized(size: bytes) -> bytes:
    return pushed(b'{"crc32c": "AAAAAA==", "size": ' + size + b"}")


IMPOSSIBLE = {
    "a deep body": b'{"message": ' + DEEP + b"}",
    "deep attributes": b'{"message": {"data": "e30=", "attributes": ' + DEEP + b"}}",
    "depth beside the message": b'{"message": {"data": "e30=", "attributes": {}}, "x": ' + DEEP + b"}",
    "a deep payload": pushed(DEEP),
    "a payload of deep objects": pushed(b'{"a":' * 50_000 + b"1" + b"}" * 50_000),
    "a body of text": b'"message"',
    "a body of a number": b"7",
    "a huge number": b'{"message": {"data": "e30=", "attributes": {"a": ' + b"9" * 5000 + b"}}}",
    "bytes that are no text": b'{"message": {"data": "e30=", "attributes": {"a": "\xff"}}}',
    "a later message of the same key": b'{"message": {"data": "e30="}, "message": 5}',
    "a message of a list": b'{"message": [1]}',
    "data of a number": b'{"message": {"data": 5}}',
    "attributes of a list": b'{"message": {"data": "e30=", "attributes": [1]}}',
    "an attribute of a number": pushed({}, objectGeneration=7),
    "a number as an attribute that nothing reads": pushed({}, order=7),
    "an infinite size": sized(b"1e400"),
    "no number as size": sized(b"NaN"),
    "a size of true": sized(b"true"),
    "a negative size": sized(b'"-5"'),
    "half a byte": sized(b"1.5"),
    "a size of 30 digits": sized(b"9" * 30),
    "a size of 5000 digits": sized(b'"' + b"9" * 5000 + b'"'),
    "a size in other digits": sized('"\u0663"'.encode()),
    "a size with an underscore": sized(b'"1_0"'),
    "a generation of 65 bits": pushed({}, objectGeneration="9" * 19),
    "a generation of 500 digits": pushed({}, objectGeneration="9" * 500),
    "a generation in other digits": pushed({}, objectGeneration="\u0663"),
    "a name with a lone surrogate": pushed({}, objectId="\udcff"),
    "a name with a line end": pushed({}, objectId="a\nb"),
    "a name that is too long": pushed({}, objectId="a" * 1025),
    "a checksum of a list": pushed({"crc32c": [1]}),
    "a type longer than a task": pushed({"contentType": "a/" + "b" * 200_000}),
    "metadata longer than a task": pushed({"metadata": {"k": "v" * 200_000}}),
}
#: Odd, but files all the same: what is no text is left out.
POSSIBLE = {
    "a type with a lone surrogate": pushed({"contentType": "\udcff"}),
    "a type of an object": pushed({"contentType": {"a": 1}}),
    "metadata with lone surrogates": pushed({"metadata": {"\udcff": "\udcff", "number": 5}}),
    "metadata that asks for a deep option": pushed({"metadata": {"sluice-thumbnails-sizes": "[" * 8000}}),
    "a size of a number": pushed({"size": 5}),
}


@pytest.mark.parametrize("what", IMPOSSIBLE)
def test_an_impossible_message_is_put_aside(client: Load, cloud: FakeCloud, bearer: Any, what: str) -> None:
    body = IMPOSSIBLE[what]
    answer = client("dispatcher").post(PUSH_PATH, data=body, headers=bearer("push"), content_type="application/json")

    assert (answer.status_code, len(cloud.dead_letters.notices), cloud.queue.added) == (200, 1, {})
    assert list(cloud.results.versions) == []
    assert [letter.reason for letter in dead_letters.letters(cloud)] != [""]


@pytest.mark.parametrize("what", POSSIBLE)
def test_an_odd_message_of_a_file_is_dispatched(client: Load, cloud: FakeCloud, bearer: Any, what: str) -> None:
    body = POSSIBLE[what]
    answer = client("dispatcher").post(PUSH_PATH, data=body, headers=bearer("push"), content_type="application/json")

    assert (answer.status_code, cloud.dead_letters.notices) == (200, [])
    assert len(cloud.queue.added) == 1


@pytest.mark.parametrize("content_type", ["application/json", "application/cloudevents+json", "text/plain", ""])
@pytest.mark.parametrize("body", [b"{}", b"x", b'{"specversion": "1.0", "id": "1", "source": "s", "type": "t"}', DEEP])
def test_headers_of_another_kind_of_event_change_nothing(
    client: Load, cloud: FakeCloud, bearer: Any, body: bytes, content_type: str
) -> None:
    event = {"ce-id": "1", "ce-source": "s", "ce-specversion": "1.0", "ce-type": "t"}
    answer = client("dispatcher").post("/", data=body, headers=bearer("push") | event, content_type=content_type)

    assert (answer.status_code, [letter.data for letter in cloud.dead_letters.notices]) == (200, [body])


@pytest.mark.parametrize("body", [DEEP, b'{"name": ' + DEEP + b"}", b'{"size": ' + b"9" * 5000 + b"}", b"\xff\xfe"])
def test_the_issuer_refuses_deep_json_as_a_fault_of_its_sender(client: Load, body: bytes) -> None:
    body = body[:4000] + body[-4000:]
    refused(client("issuer").post("/", data=body, content_type="application/json"), 400, "bad_json")
