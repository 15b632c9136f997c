"""A pool with steps outside the sandbox starts only with what they need, and takes no other steps."""

import tomllib
from dataclasses import replace
from typing import Any

import pytest

from shared import origins, outside, processors, routes
from shared.errors import BadConfiguration
from shared.outside import reach
from shared.outside.sockets import Address
from shared.routes import Routes
from shared.settings import Settings
from tests.unit import pipelines

SCAN = {"processor": "any.scan", "queue": "slow"}
CALL = {
    "processor": "service.call",
    "queue": "slow",
    "options": {"url": "https://tika.test/meta", "secret_headers": {"X-Key": "ocr"}},
}


def table(steps: dict[str, Any], pool: str = "slow") -> dict[str, Any]:
    """A pipeline whose queue `slow` has this pool."""
    made = pipelines.table(steps) | {"pools": tomllib.loads(pipelines.POOLS)["pools"]}
    made["queues"]["slow"] |= {"pool": pool}
    return made


def pipeline(**steps: Any) -> Routes:
    return routes.check(table(steps))


def test_a_pool_of_their_own_is_right() -> None:
    assert set(pipeline(scan=SCAN, call=CALL, thumbnails={}).steps) == {"scan", "call", "thumbnails"}


def test_a_pool_with_decoders_too_is_refused() -> None:
    with pytest.raises(BadConfiguration) as refused:
        routes.check(table({"scan": SCAN, "thumbnails": {}}, pool="default"))

    assert refused.value.message == (
        "pools.default: takes the step scan in the queue slow, which runs outside the sandbox, and thumbnails in the queue images, "
        "which runs in it; give the first one a queue with a pool of its own"
    )


def test_each_setting_that_steps_lack_is_named(settings: Settings) -> None:
    with pytest.raises(BadConfiguration) as refused:
        outside.check(pipeline(scan=SCAN, call=CALL), replace(settings, pool="slow"))

    assert refused.value.message.split("\n") == [
        "steps.call: service.call may not call https://tika.test; add it to SLUICE_SERVICE_ORIGINS; see docs/services.md",
        "steps.scan: any.scan needs clamd; set SLUICE_CLAMD to its host:port, or unix:/path; see docs/scanning.md",
    ]


def test_a_secret_that_is_missing_is_named(settings: Settings) -> None:
    given = replace(settings, pool="slow", service_origins="https://tika.test", service_secrets='{"other": "x"}')

    with pytest.raises(BadConfiguration, match=r"^steps\.call: service\.call lacks the secret 'ocr'"):
        outside.check(pipeline(call=CALL), given)


def test_a_pool_starts_with_all_that_its_steps_need(settings: Settings) -> None:
    given = replace(settings, clamd="clamd.test:3310", service_origins="https://tika.test", service_secrets='{"ocr": "x"}')

    outside.check(pipeline(scan=SCAN, call=CALL), replace(given, pool="slow"))
    outside.check(pipeline(scan=SCAN, thumbnails={}), settings)  # another pool needs nothing


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("clamd.test:3310", Address("clamd.test", 3310)),
        ("[::1]:3310", Address("::1", 3310)),
        ("unix:/run/clamd.ctl", Address("/run/clamd.ctl", 0)),
    ],
)
def test_clamd_has_a_port_or_a_path(text: str, address: Address, settings: Settings) -> None:
    assert reach.of(replace(settings, clamd=text)).clamd == address


@pytest.mark.parametrize("text", ["clamd", ":3310", "clamd:0", "clamd:99999", "clamd:x", "unix:clamd", "clamd:"])
def test_another_address_of_clamd_is_refused(text: str, settings: Settings) -> None:
    with pytest.raises(BadConfiguration, match=r"^SLUICE_CLAMD is "):
        reach.of(replace(settings, clamd=text))


@pytest.mark.parametrize(
    "text", ["{", "[]", '"x"', '{"a": 1}', '{"a": ""}', '{"a": "x\\ny"}', '{"a": " x"}', '{"a": "secret-\\u00e9"}']
)
def test_wrong_secrets_are_refused_without_their_values(text: str, settings: Settings) -> None:
    with pytest.raises(BadConfiguration, match=r"^SLUICE_SERVICE_SECRETS is no JSON object") as refused:
        reach.of(replace(settings, service_secrets=text))

    assert "secret-" not in refused.value.message


def test_settings_are_printed_without_their_values(settings: Settings) -> None:
    assert "k-123" not in repr(replace(settings, service_secrets='{"ocr": "k-123"}'))


def test_origins_are_listed_between_commas() -> None:
    found = origins.listed("https://a.test, https://b.test:8443/,http://localhost:3000")

    assert sorted(map(str, found)) == ["http://localhost:3000", "https://a.test", "https://b.test:8443"]


@pytest.mark.parametrize(
    "text", ["https://a.test/path", "https://a.test?x", "a.test", "http://a.test", "https://u:p@a.test", "https://*.test"]
)
def test_an_origin_is_https_or_on_this_computer_and_has_no_path(text: str) -> None:
    with pytest.raises(BadConfiguration, match=r"^SLUICE_SERVICE_ORIGINS: "):
        origins.listed(text)


URL = "https://tika.test/meta"


@pytest.mark.parametrize(
    ("options", "at"),
    [
        ({}, "url"),
        ({"url": 1}, "url"),
        ({"url": "http://tika.test/"}, "url"),
        ({"url": "http://169.254.169.254/"}, "url"),
        ({"url": "https://tika.test/ a"}, "url"),
        ({"url": "https://tika.test/#a"}, "url"),
        ({"url": "https://a@tika.test/"}, "url"),
        ({"url": "https://tika.test:x/"}, "url"),
        ({"url": "https://tika.test\\@evil.test/"}, "url"),
        ({"url": "https://tika.test/{stem}"}, "url"),
        ({"url": URL, "method": "GET"}, "method"),
        ({"url": URL, "body": "json"}, "body"),
        ({"url": URL, "answer": "html"}, "answer"),
        ({"url": URL, "content_type": "text"}, "content_type"),
        ({"url": URL, "file_name": "a\r\nb"}, "file_name"),
        ({"url": URL, "field": ""}, "field"),
        ({"url": URL, "fields": {"a": "b"}}, "fields"),
        ({"url": URL, "fields": {"a": 1}, "body": "form"}, "fields"),
        ({"url": URL, "headers": {"Host": "a"}}, "headers"),
        ({"url": URL, "headers": {"a b": "c"}}, "headers"),
        ({"url": URL, "headers": {"A": "b\r\nC: d"}}, r"headers\.A"),
        ({"url": URL, "headers": {"Authorization": "Bearer x"}}, "headers"),
        ({"url": URL, "headers": {"A": "b"}, "secret_headers": {"a": "c"}}, "headers"),
        ({"url": URL, "secret_headers": {"Authorization": "c"}, "audience": "https://a"}, "headers"),
        ({"url": URL, "secret_headers": ["a"]}, "secret_headers"),
        ({"url": URL, "audience": "a b"}, "audience"),
        ({"url": URL, "answer": "output"}, "output"),
        ({"url": URL, "answer": "output", "output": "a/b"}, "output"),
        ({"url": URL, "answer": "output", "output": "a", "output_type": "pdf"}, "output_type"),
        ({"url": URL, "output": "a.pdf"}, "output"),
    ],
)
def test_a_wrong_option_of_a_call_is_named(options: dict[str, Any], at: str) -> None:
    with pytest.raises(BadConfiguration, match=rf"^options\.{at}: "):
        processors.find("service.call").check(options)


@pytest.mark.parametrize(
    ("options", "names"),
    [({"answer": "facts"}, ()), ({"answer": "output", "output": "a.pdf"}, ("a.pdf",)), ({"answer": "parts"}, ("*",))],
)
def test_the_names_of_outputs_are_declared(options: dict[str, Any], names: tuple[str, ...]) -> None:
    processor = processors.find("service.call")

    assert processor.outputs(processor.check({"url": URL, **options})) == names
