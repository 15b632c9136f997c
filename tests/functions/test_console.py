"""The console's pages over HTTP: who may see them, and the headers that protect them."""

import gzip
import re

import pytest

import shared.cloud
from shared.console import site
from shared.testing import FakeCloud
from tests.functions.calls import Load

HERE = {"host": "127.0.0.1:8088"}


def test_a_page_needs_five_requests_at_most_and_little_script_and_style(client: Load) -> None:
    """Goal: 60 kB of script and style, compressed."""
    console = client("console")
    page = console.get("/", headers=HERE).text
    addresses = re.findall(r'(?:src|href)="(/assets/[^"]+)"', page)
    answers = [console.get(address, headers={**HERE, "accept-encoding": "gzip"}) for address in addresses]

    assert [answer.headers["content-encoding"] for answer in answers] == ["gzip"] * len(addresses)
    assert len(addresses) <= 4
    assert sum(len(answer.data) for answer in answers) <= 60_000
    assert all(b"\0" not in gzip.decompress(answer.data) for answer in answers)


@pytest.mark.parametrize("host", ["evil.test", "evil.test:8088", "127.0.0.1.evil.test"])
def test_another_name_of_this_computer_is_refused(client: Load, host: str) -> None:
    answer = client("console").get("/", headers={"host": host})

    assert (answer.status_code, answer.mimetype) == (403, "text/html")
    assert "127.0.0.1" in answer.text


@pytest.mark.parametrize("path", ["/", "/rows", "/lost", "/queues/lost", "/preview/x", "/follow"])
def test_every_answer_keeps_other_sites_out(client: Load, cloud: FakeCloud, path: str) -> None:
    headers = client("console").get(path, headers=HERE).headers
    policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))

    allowed = f"'self' {cloud.settings.storage_origin}"
    assert policy == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": f"{allowed} data:",
        "media-src": allowed,
        "connect-src": allowed,
        "form-action": "'self'",
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
    }
    assert headers["x-frame-options"] == "DENY"
    assert headers["x-content-type-options"] == "nosniff"
    assert {headers[f"cross-origin-{kind}-policy"] for kind in ("opener", "resource")} == {"same-origin"}
    assert headers["referrer-policy"] == "same-origin"


@pytest.mark.parametrize("path", [f"/{name}" for name in site.PAGES if name not in site.ACTIONS])
def test_a_page_takes_no_action(client: Load, path: str) -> None:
    answer = client("console").post(path, headers=HERE)

    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")


def test_an_outage_names_the_time_to_try_again(client: Load, cloud: FakeCloud) -> None:
    cloud.results.broken.add("page")
    answer = client("console").get("/", headers=HERE)

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")


def test_names_reasons_and_filters_are_text(client: Load, cloud: FakeCloud) -> None:
    hostile = "<script>alert(1)</script>"
    cloud.results.create(
        "index/failed/8299999999999999-" + "a" * 26 + "-1700000000000001",
        "application/octet-stream",
        b"",
        {"name": hostile, "size": "1", "reason": hostile, "type": "image/jpeg"},
    )
    page = client("console").get("/", query_string={"prefix": hostile}, headers=HERE)

    assert hostile not in page.text
    assert page.text.count("&lt;script&gt;") >= 3


def test_a_list_names_reasons_as_the_failed_page_does(client: Load, cloud: FakeCloud) -> None:
    entry = "index/failed/8299999999999999-" + "a" * 26 + "-1700000000000001"
    cloud.results.create(entry, "application/octet-stream", b"", {"name": "a", "size": "1", "reason": "corrupt,truncated"})

    assert '<span class="reason">Damaged file, Cut off</span>' in client("console").get("/", headers=HERE).text


def test_a_reason_that_says_the_same_as_the_state_is_not_repeated(client: Load, cloud: FakeCloud) -> None:
    entry = "index/gone/8299999999999999-" + "a" * 26 + "-1700000000000001"
    cloud.results.create(entry, "application/octet-stream", b"", {"name": "a", "size": "1", "reason": "gone"})
    rows = client("console").get("/rows", headers=HERE).text

    assert ">deleted</span>" in rows
    assert "Deleted" not in rows


def test_rows_that_a_page_shows_already_are_not_sent_again(client: Load) -> None:
    console = client("console")
    first = console.get("/rows", headers=HERE)
    again = console.get("/rows", headers={**HERE, "if-none-match": first.headers["etag"]})

    assert (first.status_code, again.status_code, again.data) == (200, 304, b"")


@pytest.mark.parametrize(("prefix", "is_listed"), [("cat", True), ("aaaa", True), ("at.jpg", False)])
def test_a_prefix_may_leave_out_the_random_characters_of_a_door(
    client: Load, cloud: FakeCloud, prefix: str, is_listed: bool
) -> None:
    entry = "index/succeeded/8299999999999999-" + "a" * 26 + "-1700000000000001"
    cloud.results.create(entry, "application/octet-stream", b"", {"name": "a" * 26 + "/cat.jpg", "size": "1"})

    assert ("No file matches" not in client("console").get(f"/?prefix={prefix}", headers=HERE).text) == is_listed


def test_an_error_is_a_sentence(client: Load) -> None:
    assert '<p class="message">Page not found.</p>' in client("console").get("/lost", headers=HERE).text


@pytest.mark.parametrize(("path", "label"), [("/files/", "Files"), ("/queues/images", "Queues"), ("/failed", "Failed")])
def test_a_page_is_marked_in_the_navigation(client: Load, cloud: FakeCloud, path: str, label: str) -> None:
    page = client("console").get(path, headers=HERE).text

    assert re.findall(r'aria-current="(?:page|true)">(\w+)<', page) == [label]


@pytest.mark.parametrize("query", ["state=lost", "limit=0", "limit=1001", "limit=x", "after=x", "type=**a**a**a"])
def test_a_wrong_filter_is_named(client: Load, query: str) -> None:
    answer = client("console").get(f"/?{query}", headers=HERE)

    assert answer.status_code == 400
    assert query.partition("=")[2] in answer.text


def test_an_outage_is_reported_while_its_viewer_still_waits(
    client: Load, cloud: FakeCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: dict[float, FakeCloud] = {}
    monkeypatch.setattr(shared.cloud, "connect", lambda seconds: asked.setdefault(seconds, cloud))
    client("console")

    assert max(asked) <= 20
