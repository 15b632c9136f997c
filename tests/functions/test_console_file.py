"""The page of one file over HTTP: what it shows of runs, and running it again."""

import html
import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from shared import index, pipeline
from shared.attempts import Attempts
from shared.cloud.protocols import Queued
from shared.console import excerpts
from shared.model import File, Place, Run
from shared.plan import Task
from shared.testing import FakeCloud
from tests.functions.calls import Load
from tests.functions.console_pages import Viewer, picture, worked
from tests.unit.plans import plan, step
from tests.unit.working import Fixed, Waiting

Uploaded = Callable[..., File]


@pytest.fixture
def viewer(client: Load) -> Viewer:
    return Viewer(client("console"))


@pytest.fixture
def cat(uploaded: Uploaded) -> File:
    return uploaded("cats/Käthe 1.jpg", picture())


def runs(cloud: FakeCloud, file: File) -> list[int]:
    return index.later_runs(cloud.results, file.file_id, file.generation)


def test_a_file_is_shown_with_its_pictures_facts_and_manifest(viewer: Viewer, cloud: FakeCloud, cat: File) -> None:
    worked(cat, cloud)
    page = viewer.get("/files/cats/K%C3%A4the%201.jpg").text

    job = Run(cat).job_id
    assert re.findall(r'<img src="([^"]+)"', page) == [f"/outputs/{job}/thumbnails/{size}.webp" for size in (1024, 512, 256)]
    assert '<th scope="row">sha256</th>' in page
    assert 'aria-label="read the file' in page
    assert "$0.0000" in page
    assert f"{job}-digest-" in page
    assert "&#34;kind&#34;: &#34;manifest&#34;" in page
    assert "gsutil cp &#39;gs://uploads/cats/Käthe 1.jpg&#39; ." in page


@pytest.mark.parametrize("name", ["a//b", "tail/", "a?b#c", "100%25", "../x", "a/./b", "<b>&amp;", '"onload="x'])
def test_an_odd_name_has_a_page_that_its_list_leads_to(viewer: Viewer, cloud: FakeCloud, uploaded: Uploaded, name: str) -> None:
    worked(uploaded(name, b"x", "text/plain"), cloud)
    (address,) = re.findall(r'<a href="(/files/[^"]*)">', viewer.get("/rows").text)
    page = viewer.get(html.unescape(address))

    assert page.status_code == 200
    title = re.search(r"<h1><bdi>(.*?)</bdi></h1>", page.text)
    assert title
    assert html.unescape(re.sub(r"</?span[^>]*>|<wbr>", "", title[1])) == name
    assert "<b>&amp;" not in page.text


def test_a_failed_step_is_explained(viewer: Viewer, cloud: FakeCloud, uploaded: Uploaded) -> None:
    worked(uploaded("bad.png", b"\x89PNG", "image/png"), cloud)
    page = viewer.get("/files/bad.png").text

    assert "Not a picture" in page
    assert "What to do:" in page
    assert "thumbnails: not a picture" in page


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [("folder/", b"", "The pipeline ignores such objects."), ("empty.txt", b"", "The file has no bytes.")],
)
def test_a_file_without_steps_says_why(
    viewer: Viewer, cloud: FakeCloud, uploaded: Uploaded, name: str, data: bytes, words: str
) -> None:
    file = uploaded(name, data, "text/plain")
    if not name.endswith("/"):
        worked(file, cloud)
    page = viewer.get(f"/files/{name}").text

    assert words in page
    assert "hx-get" not in page


def test_hostile_facts_and_messages_stay_text(viewer: Viewer, cloud: FakeCloud, cat: File) -> None:
    worked(cat, cloud)
    folder = f"jobs/{cat.file_id}/"
    (name, *_rest) = list(cloud.results.names(folder))
    body = cloud.results.read(name) or b""
    hostile = b'"sha256":"<script>alert(1)</script>\\udcff","odd<b>":'
    cloud.results.put(name, body.replace(b'"sha256":', hostile), "application/json")
    page = viewer.get("/files/cats/K%C3%A4the%201.jpg")

    assert page.status_code == 200
    assert "<script>alert" not in page.text
    assert "odd<b>" not in page.text
    assert "\\udcff" in page.text


def with_facts(cloud: FakeCloud, file: File, facts: Any, outputs: dict[str, bytes]) -> None:
    """Give the first step of the file's job these facts and outputs."""
    worked(file, cloud)
    for name in cloud.results.names(f"jobs/{file.file_id}/"):
        manifest = json.loads(cloud.results.read(name) or b"")
        made = [_stored(cloud, output, data) for output, data in outputs.items()]
        manifest["steps"][0] |= {"facts": facts, "outputs": made}
        cloud.results.put(name, json.dumps(manifest).encode(), "application/json")


def _stored(cloud: FakeCloud, name: str, data: bytes) -> dict[str, Any]:
    kind = {"txt": "text/plain; charset=utf-8", "webp": "image/webp", "json": "application/json", "mp4": "video/mp4"}[
        name.rpartition(".")[2]
    ]
    cloud.results.put(f"made/{name}", data, kind)
    page = {"page": int(name[0])} if name[0].isdigit() else {}
    return {
        "name": name,
        "object": f"made/{name}",
        "content_type": kind,
        "size": len(data),
        "crc32c": "AAAAAA==",
        "facts": page,
    }


def test_a_document_shows_its_facts_its_pages_and_its_text(viewer: Viewer, cloud: FakeCloud, uploaded: Uploaded) -> None:
    text = "Über <b>\u202e\x07\fnext".encode() + b"y" * 9000 + "ß".encode() * 9000
    outputs = {"1.webp": b"x", "12.webp": b"x", "small.webp": b"x", "text.txt": text, "empty.txt": b""}
    with_facts(cloud, uploaded("a.pdf", b"x", "text/plain"), {"format": "pdf", "title": "<i>", "pages": 3}, outputs)
    page = viewer.get("/files/a.pdf").text

    assert "<dt>Title</dt><dd><bdi>&lt;i&gt;</bdi></dd>" in page
    assert re.findall(r"<span>(Page \d+)</span>", page) == ["Page 1", "Page 1"]
    assert page.count("<img") == 2
    (shown,) = re.findall(r'<pre class="excerpt"[^>]*>(.*?)</pre>', page, re.DOTALL)
    assert shown.startswith("Über &lt;b&gt;\\u202e\\x07\n\nnexty")
    assert len(shown.encode()) < 2 * excerpts.MOST_BYTES
    assert shown.endswith("y…")
    assert re.search(r'Its beginning: <a href="/outputs/[^"]*/text.txt">', page)


def test_a_text_cut_within_a_character_ends_before_it(viewer: Viewer, cloud: FakeCloud, uploaded: Uploaded) -> None:
    with_facts(cloud, uploaded("a.pdf", b"x", "text/plain"), {"format": "pdf"}, {"text.txt": b"y" + "ß".encode() * 5000})

    assert "ß…</pre>" in viewer.get("/files/a.pdf").text
    assert "\ufffd" not in viewer.get("/files/a.pdf").text


def test_a_table_is_a_table_and_not_a_row_for_each_fact(viewer: Viewer, cloud: FakeCloud, uploaded: Uploaded) -> None:
    columns = [{"name": "<b>", "type": "text", "nulls": 0}]
    facts = {"rows": 1, "columns": columns, "sample": [["=1+1"]]}
    with_facts(cloud, uploaded("t.csv", b"x", "text/plain"), facts, {})
    page = viewer.get("/files/t.csv").text

    assert "<tr><td><bdi>&lt;b&gt;</bdi></td><td><bdi>text</bdi></td>" in page
    assert "<td><bdi>=1+1</bdi></td>" in page
    assert "columns.1.name" not in page


@pytest.mark.parametrize(
    ("data", "is_shown"),
    [
        (b'{"rows":7,"columns":[{"name":"moons"}]}', True),
        (b'{"rows":7,"columns":[{"name":"moons"}]', False),
        (b"[" * 100_000, False),
        (b'{"rows":7,"columns":[{"name":"moons"}],"deep":' + b"[" * 40 + b"]" * 40 + b"}", False),
        (b'{"rows":7,"columns":[{"name":"moons"}]}' + b" " * (1 << 20), False),
    ],
    ids=["good", "cut", "nested", "deep", "large"],
)
def test_facts_that_a_manifest_does_not_take_are_read(
    viewer: Viewer, cloud: FakeCloud, uploaded: Uploaded, data: bytes, is_shown: bool
) -> None:
    with_facts(cloud, uploaded("t.csv", b"x", "text/plain"), {}, {"facts.json": data})
    page = viewer.get("/files/t.csv")

    assert page.status_code == 200
    assert ("<bdi>moons</bdi>" in page.text) == is_shown
    assert ">facts.json</a>" in page.text


@pytest.mark.parametrize("kind", ["video", "audio"])
def test_films_and_sounds_are_played_on_the_page(viewer: Viewer, cloud: FakeCloud, cat: File, kind: str) -> None:
    worked(cat, cloud)
    for name in cloud.results.names(f"jobs/{cat.file_id}/"):
        body = cloud.results.read(name) or b""
        cloud.results.put(name, body.replace(b"image/webp", f"{kind}/mp4".encode()), "application/json")
    page = viewer.get("/files/cats/K%C3%A4the%201.jpg").text

    played = re.findall(rf'<{kind} controls preload="none" src="([^"]+)"></{kind}>', page)
    assert played == [f"/outputs/{Run(cat).job_id}/thumbnails/{size}.webp" for size in (1024, 512, 256)]
    assert "<img" not in page


def test_a_film_has_its_poster_and_its_waveform(viewer: Viewer, cloud: FakeCloud, uploaded: Uploaded) -> None:
    outputs = {"poster.webp": b"x", "preview.mp4": b"x", "waveform.json": b'{"bits": 8, "data": [-64, 64]}'}
    with_facts(cloud, uploaded("a.mov", b"x", "text/plain"), {"has_video": True}, outputs)
    page = viewer.get("/files/a.mov").text

    (poster,) = re.findall(r'<video controls preload="none" poster="([^"]+)" src="[^"]+/preview.mp4"></video>', page)
    assert poster.endswith("/poster.webp")
    assert "<img" not in page
    assert '<path d="M0.0 25.0L0.0 75.0Z"></path>' in page


def test_the_state_is_asked_for_until_the_file_has_ended(viewer: Viewer, cloud: FakeCloud, cat: File) -> None:
    pipeline.enlist(Run(cat), cloud.routes.plan(cat), cloud)
    before = viewer.get("/files/cats/K%C3%A4the%201.jpg").text
    (address,) = re.findall(r'hx-get="([^"]+)"', before)

    assert "It waits in the queue digests" in before
    assert "It begins after" not in before
    part = viewer.get(html.unescape(address))
    again = viewer.get(html.unescape(address), if_none_match=part.headers["etag"])
    assert (part.status_code, again.status_code) == (200, 304)
    assert "token" not in part.text


def test_a_failing_step_shows_its_last_error_and_its_next_try(viewer: Viewer, cloud: FakeCloud, cat: File) -> None:
    steps = cloud.routes.plan(cat)
    pipeline.enlist(Run(cat), steps, cloud)
    task = Task(Run(cat), steps, Place(0, "digests"))
    Attempts(task, 2, cloud.results).error(task.steps[0], 1, "<b>out of disk</b>")
    cloud.queue = Waiting({"digests": Queued(2, False, "2026-01-01T00:05:00Z")})  # type: ignore[assignment]
    page = viewer.get("/files/cats/K%C3%A4the%201.jpg").text

    assert "It waits in the queue digests; next try 01 Jan 2026 00:05 UTC." in page
    assert "1 of 5 attempts so far, 2 deliveries." in page
    assert "&lt;b&gt;out of disk&lt;/b&gt;" in page
    assert "Its task is on the way into the queue images." in page


def test_a_lost_task_is_named_with_the_remedy(viewer: Viewer, cloud: FakeCloud, cat: File) -> None:
    """Its upload is years old."""
    page = html.unescape(viewer.get("/files/cats/K%C3%A4the%201.jpg").text)

    assert "A task of it is in no queue yet" in page
    assert "<p>If this stays so:</p><pre" in page
    assert ">./sluice backfill 'cats/Käthe 1.jpg' --yes</pre>" in page


def test_a_step_whose_task_was_lost_does_not_wait_for_those_before_it(viewer: Viewer, cloud: FakeCloud, cat: File) -> None:
    first, last = step("facts", "images"), step("digest", "digests", after=("facts",))
    cloud.routes = Fixed(plan(first, last))  # type: ignore[assignment]
    page = viewer.get("/files/cats/K%C3%A4the%201.jpg").text

    assert "It begins after facts." in page
    assert "Its task is on the way into the queue images." in page


def test_a_paused_queue_is_named_with_the_remedy(viewer: Viewer, cloud: FakeCloud, cat: File) -> None:
    pipeline.enlist(Run(cat), cloud.routes.plan(cat), cloud)
    cloud.queue.pause("images")
    page = viewer.get("/files/cats/K%C3%A4the%201.jpg").text

    assert page.count('which is paused: <a href="/queues/images">resume it</a>') == 1
    assert "in no queue" not in page


def test_an_ended_file_is_not_asked_for(viewer: Viewer, cloud: FakeCloud, cat: File) -> None:
    worked(cat, cloud)

    assert "hx-get" not in viewer.get("/files/cats/K%C3%A4the%201.jpg").text


def test_older_uploads_come_by_page(viewer: Viewer, cloud: FakeCloud, uploaded: Uploaded) -> None:
    for size in range(12):
        worked(uploaded("notes.txt", b"x" * (size + 1), "text/plain"), cloud)
    page = viewer.get("/files/notes.txt").text
    counts = []
    while found := re.search(r'<a href="(/files/[^"]*older=[^"]*)">', page):
        page = viewer.get(html.unescape(found[1])).text
        counts.append(page.count("<b>Uploaded</b>"))
        assert 'action="/rerun"' not in page

    assert counts == [10, 1]


@pytest.mark.parametrize("path", ["/files/never.jpg", "/files/", "/files/?name=", "/state/never.jpg"])
def test_an_unknown_file_is_not_found(viewer: Viewer, path: str) -> None:
    answer = viewer.get(path)

    assert (answer.status_code, answer.mimetype) == (404, "text/html")


@pytest.mark.parametrize("how", ["same", "today", "fresh"])
def test_a_file_runs_again(viewer: Viewer, cloud: FakeCloud, cat: File, how: str) -> None:
    worked(cat, cloud)
    page = viewer.get("/files/cats/K%C3%A4the%201.jpg")
    answer = viewer.press(page, "/rerun", how=how)

    assert (answer.status_code, answer.location) == (303, "/files/cats/K%C3%A4the%201.jpg?told=begun")
    (claim,) = index.claims(cloud.results, Run(cat))
    assert bool(claim.adopted) == (how != "fresh")
    after = viewer.get(answer.location).text
    assert "A new run has begun." in after
    assert "2 runs" in after


def test_a_form_sent_twice_begins_one_run(viewer: Viewer, cloud: FakeCloud, cat: File) -> None:
    worked(cat, cloud)
    page = viewer.get("/files/cats/K%C3%A4the%201.jpg")
    answers = [viewer.press(page, "/rerun", how="today") for _ in range(2)]

    assert [str(answer.location).rpartition("=")[2] for answer in answers] == ["begun", "resumed"]
    assert runs(cloud, cat) == [1]


def test_what_cannot_run_again_is_said(viewer: Viewer, cloud: FakeCloud, cat: File) -> None:
    pipeline.enlist(Run(cat), cloud.routes.plan(cat), cloud)
    page = viewer.get("/files/cats/K%C3%A4the%201.jpg")
    assert str(viewer.press(page, "/rerun", how="same").location).endswith("told=processing")

    worked(cat, cloud)
    del cloud.uploads.versions[cat.name]
    gone = viewer.press(page, "/rerun", how="same")
    assert str(gone.location).endswith("told=gone")
    assert "the original was deleted" in viewer.get(str(gone.location)).text
    assert runs(cloud, cat) == []


@pytest.mark.parametrize("change", [{"token": "x"}, {"how": "all"}, {"request": ""}, {"request": "../../x y"}])
def test_a_wrong_form_begins_nothing(viewer: Viewer, cloud: FakeCloud, cat: File, change: dict[str, Any]) -> None:
    worked(cat, cloud)
    answer = viewer.press(viewer.get("/files/cats/K%C3%A4the%201.jpg"), "/rerun", **({"how": "same"} | change))

    assert answer.status_code in (400, 403)
    assert runs(cloud, cat) == []


def test_a_told_code_is_never_text(viewer: Viewer, cloud: FakeCloud, cat: File) -> None:
    worked(cat, cloud)

    assert "hello" not in viewer.get("/files/cats/K%C3%A4the%201.jpg?told=hello").text
