"""The page of the pipeline over HTTP: its picture and tables, and the answer about a file."""

import re
from collections.abc import Callable

import pytest
from werkzeug.test import Client

from shared import routes
from shared.console import graphs
from shared.model import File
from shared.settings import ROOT
from shared.testing import FakeCloud
from tests.functions.calls import Load

HERE = {"host": "127.0.0.1:8088"}


@pytest.fixture
def console(client: Load, cloud: FakeCloud) -> Client:
    cloud.routes = routes.load(ROOT / "pipeline.toml")
    return client("console")


def text(page: str) -> str:
    """The text of a page, with single spaces."""
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


def test_the_picture_and_the_tables_show_the_whole_pipeline(console: Client, cloud: FakeCloud) -> None:
    page = console.get("/pipeline", headers=HERE).text

    numbers = [str(number + 1) for number in range(len(cloud.routes.routes))]
    assert page.count('<svg class="box') == len(graphs.of_routes(cloud.routes).nodes)
    assert re.findall(r'<th scope="row">([^<]+)', page) == [*numbers, *cloud.routes.steps, *cloud.routes.pools]
    assert "avif in slow, after facts, if facts.width_px &gt;= 640" in text(page)
    assert "quality = 60 files may set it" in text(page)


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        ("name=a.jpg", "a.jpg , image/jpeg takes these steps: digest, facts, thumbnails."),
        ("name=a.jpg&steps=avif", "takes these steps: digest, facts, thumbnails, avif."),
        ("name=a&type=image/png&size=12", "a , image/png, 12 B takes these steps: digest, facts, thumbnails."),
        ("name=a&size=0", "a , application/octet-stream, 0 B is skipped: the file has no bytes."),
        ("name=a&size=5000001", "fails: the file has 5000001 bytes; the limit is 5000000."),
        ("name=a.txt&steps=avif", "sluice-steps: avif is not a step on request for this file"),
        ("name=a.jpg", "image/jpeg, image/jpg"),
        ("name=<script>", "&lt;script&gt; , application/octet-stream takes these steps: digest."),
    ],
)
def test_a_question_is_answered_at_its_own_address(console: Client, asked: str, answer: str) -> None:
    page = console.get(f"/pipeline?{asked}", headers=HERE)

    assert page.status_code == 200
    assert answer in text(page.text)
    assert "<script>" not in page.text


def test_the_price_is_that_of_a_thousand_files(console: Client) -> None:
    price = re.findall(r"1,000 such files cost at least \$([0-9.]+)", console.get("/pipeline?name=a.txt", headers=HERE).text)

    assert 0.005 < float(price[0]) < 0.05


def test_an_uploaded_file_counts_with_its_own_type(console: Client, uploaded: Callable[..., File]) -> None:
    uploaded("scan", b"x", "image/png")
    page = text(console.get("/pipeline?name=scan", headers=HERE).text)

    assert "scan , image/png, 1 B, which was uploaded, takes these steps: digest, facts, thumbnails." in page


@pytest.mark.parametrize(
    ("asked", "field", "message"),
    [
        ("name=", "name", "cannot be an object"),
        ("name=a&type=jpg", "type", "&#39;jpg&#39; is not a media type; send one such as image/jpeg"),
        ("name=a&size=1x", "size", "size is &#39;1x&#39;; send a whole number of bytes"),
        ("name=a&size=-1", "size", "send a whole number of bytes"),
        ("name=a&steps=%0a", "steps", "not printable ASCII"),
    ],
)
def test_a_refusal_stands_beside_its_field(console: Client, asked: str, field: str, message: str) -> None:
    page = console.get(f"/pipeline?{asked}", headers=HERE)
    beside = re.findall(rf'id="{field}-fault">([^<]+)', page.text)

    assert page.status_code == 400
    assert [message in text for text in beside] == [True]
    assert 'class="answer"' not in page.text
