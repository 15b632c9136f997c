"""A page of another web site sends files through upload and issuer, follows them, and reads what came out."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests
from playwright.sync_api import Browser, Error, Page

from tests.machine import ROOT, Machine

PHOTO = (ROOT / "tests" / "data" / "photo.jpg").read_bytes()

#: The page's functions: `json` gives status and body; `settled` waits for the verdict, and asks again only for what has changed.
SCRIPT = """
const json = async (...request) => { const answer = await fetch(...request); return [answer.status, await answer.json()]; };
const file = bytes => new File([new Uint8Array(bytes)], "photo.jpg", { type: "image/jpeg" });
const settled = async url => {
  const deadline = Date.now() + 120_000;
  for (let tag = "", state; Date.now() < deadline;) {
    const answer = await fetch(url, { headers: tag ? { "if-none-match": tag } : {}, cache: "no-store" });
    if (answer.status === 200) { state = await answer.json(); tag = answer.headers.get("etag"); }
    if (state.steps.length && state.steps.every(step => step.state === "done")) return [state, tag];
    await new Promise(resolve => setTimeout(resolve, 100));
  }
  throw new Error("no verdict");
};
const failed = promise => promise.then(() => false, () => true);
"""


@pytest.fixture
def app(browser: Browser, machine: Machine, site: int) -> Iterator[Page]:
    """A page of the origin that the stack was started with."""
    page = browser.new_page()
    page.goto(f"http://localhost:{site}/")
    yield page
    page.close()


def run(page: Page, machine: Machine, body: str) -> Any:
    """The value of these statements in the page, with the services' URLs and the bytes of a photograph."""
    given = {name: machine.url(name) for name in ("upload", "issuer", "status")} | {"photo": list(PHOTO)}
    return page.evaluate(f"async ({{ upload, issuer, status, photo }}) => {{ {SCRIPT} {body} }}", given)


def test_a_page_posts_a_form_follows_the_file_and_reads_an_output(app: Page, machine: Machine) -> None:
    receipt, state, tag, link, size, width, is_redirect_lost = run(
        app,
        machine,
        """
        const form = new FormData();
        form.append("x-goog-meta-order", "4711");
        form.append("file", file(photo));
        const headers = { "Idempotency-Key": crypto.randomUUID() };
        const [, receipt] = await json(upload, { method: "POST", body: form, headers });
        const [state, tag] = await settled(receipt.status_url);
        const output = state.steps.flatMap(step => step.outputs)[0];
        const [, link] = await json(output.url + "?link");
        const bytes = await (await fetch(link.url)).arrayBuffer();
        const image = new Image();
        image.src = output.url;
        await image.decode();
        return [receipt, state, tag, link.url, bytes.byteLength, image.naturalWidth, await failed(fetch(output.url))];
        """,
    )

    first = next(output for step in state["steps"] for output in step["outputs"])
    assert state["metadata"] == {"order": "4711"}
    assert (first["size"], first["facts"]["width_px"]) == (size, width)
    assert requests.get(link, timeout=30).content == requests.get(first["url"], timeout=30).content
    assert tag == requests.get(receipt["status_url"], timeout=30).headers["etag"]
    # A redirect to a third origin makes the page's origin `null`, which no bucket allows: hence `?link`.
    assert is_redirect_lost


def test_a_page_asks_the_issuer_and_puts_the_bytes_to_cloud_storage(app: Page, machine: Machine) -> None:
    signed, stored, state = run(
        app,
        machine,
        """
        const wanted = { name: "photo.jpg", content_type: "image/jpeg", size: photo.length, metadata: { "sluice-steps": "avif" } };
        const headers = { "Content-Type": "application/json", "Idempotency-Key": crypto.randomUUID() };
        const [, ticket] = await json(issuer, { method: "POST", body: JSON.stringify(wanted), headers });
        const put = await fetch(ticket.url, { method: ticket.method, headers: ticket.headers, body: file(photo) });
        return [ticket.object, put.status, (await settled(ticket.status_url))[0]];
        """,
    )

    assert (stored, state["object"], state["size"]) == (200, signed, len(PHOTO))
    assert state["state"] == "succeeded"


def test_a_page_reads_why_it_is_refused(app: Page, machine: Machine) -> None:
    answers = run(
        app,
        machine,
        """
        const weak = { method: "PUT", body: "words", headers: { "Idempotency-Key": "order-4711", "x-goog-meta-any": "1" } };
        return [await json(upload + "/a.txt", weak), await json(issuer), await json(status + "/objects/never.txt")];
        """,
    )

    assert [(code, body["error"]) for code, body in answers] == [
        (400, "weak_key"),
        (400, "bad_request"),
        (404, "not_found"),
    ]


def test_a_page_of_another_origin_reads_nothing(browser: Browser, machine: Machine, site: int) -> None:
    """Even of another name of the same site."""
    page = browser.new_page()
    page.goto(f"http://127.0.0.1:{site}/")
    asked = ("upload", "issuer", "status + '/objects/never.txt'", "upload, { method: 'PUT', body: 'words' }")
    seen = [run(page, machine, f"return failed(fetch({request}));") for request in asked]

    assert seen == [True] * len(asked)
    with pytest.raises(Error, match="Failed to fetch"):
        run(page, machine, "return json(issuer);")
    page.close()
