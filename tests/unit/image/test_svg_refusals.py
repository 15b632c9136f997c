"""SVG: drawn from nothing but the file; bombs and broken XML are refused by name."""

import gzip
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from PIL import Image

from shared.errors import BadFile
from shared.processors import extras
from tests.unit.image.pictures import BLUE, GREEN, RED, colour, near, plain, reason, rendered, run, saved
from tests.unit.image.svgs import CLEAR, data_url, drawing, rect

pytestmark = pytest.mark.skipif(not extras.is_installed("svg"), reason=extras.remedy("svg"))


# ---- pictures inside


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP"])
@pytest.mark.parametrize("stated", ["image/png", "image/jpg", "application/octet-stream"])
def test_pictures_inside_are_drawn_whatever_type_they_state(kind: str, stated: str) -> None:
    url = data_url(saved(plain("RGB", BLUE, (32, 32)), kind), stated)

    assert near(colour(rendered(drawing(f'<image width="10" height="20" preserveAspectRatio="none" href=" {url}"/>'))), BLUE)


def test_a_drawing_inside_is_drawn() -> None:
    url = data_url(drawing(rect("#0f0")), "image/svg+xml")

    assert near(colour(rendered(drawing(f'<image width="10" height="20" href="{url}"/>'))), GREEN)
    assert reason(drawing(f'<image href="{data_url(drawing(f"<image href={url!r}/>"))}"/>')) == "unsupported"


def test_all_pictures_inside_count_together() -> None:
    url = data_url(saved(plain("L", 0, (100, 100)), "PNG"))
    data = drawing(f'<image href="{url}"/>' * 3)

    assert reason(data, max_pixels=29_999) == "too_many_pixels"
    assert run(data, max_pixels=30_000)


def test_a_bomb_inside_is_refused_before_it_is_unpacked() -> None:
    bomb = data_url(saved(Image.new("L", (9000, 9000)), "PNG"))

    assert reason(drawing(f'<image href="{bomb}"/>')) == "too_many_pixels"
    assert reason(drawing(f'<filter id="f"><feImage href="{bomb}"/></filter>')) == "too_many_pixels"
    inner = data_url(drawing(f'<image href="{bomb}"/>'), "image/svg+xml")
    assert reason(drawing(f'<image href="{inner}"/>')) == "too_many_pixels"


@pytest.mark.parametrize(("data", "code"), [(b"no picture", "not_a_picture"), (b"\x89PNG\r\n\x1a\n", "corrupt")])
def test_a_broken_picture_inside_is_refused(data: bytes, code: str) -> None:
    assert reason(drawing(f'<image href="{data_url(data)}"/>')) == code


@pytest.mark.parametrize("kind", ["TIFF", "BMP", "AVIF"])
def test_another_kind_of_picture_inside_is_unsupported(kind: str) -> None:
    assert reason(drawing(f'<image href="{data_url(saved(plain("RGB", RED), kind))}"/>')) == "unsupported"


# ---- references


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "secret.png"
    path.write_bytes(saved(plain("RGB", BLUE), "PNG"))
    return path


@pytest.mark.parametrize(
    "element",
    [
        '<image width="10" height="20" href="{}"/>',
        '<image width="10" height="20" xlink:href="{}"/>',
        '<image width="10" height="20" any:href=" {} " xmlns:any="http://www.w3.org/1999/xlink"/>',
        '<image width="10" height="20" style="href: {}; xlink:href: {}"/>',
        '<style>image {{ href: url({}) }} @import url({});</style><image width="10" height="20"/>',
        '<filter id="f"><feImage href="{}"/></filter><rect width="10" height="20" fill="none" filter="url(#f)"/>',
        '<use href="{}#a"/>',
        '<rect width="10" height="20" fill="url({})"/>',
        '<rect width="10" height="20" fill="none" mask="url({}#a)"/>',
    ],
)
def test_no_file_is_read(element: str, secret: Path) -> None:
    for address in (str(secret), secret.as_uri(), secret.name):
        assert colour(rendered(drawing(element.format(address, address)))) in (CLEAR, (0, 0, 0, 255))


def test_no_file_is_read_by_an_entity_or_inside_a_drawing(secret: Path) -> None:
    image = f'<image width="10" height="20" href="{secret}"/>'
    entity = f'<!DOCTYPE svg [<!ENTITY path "{secret}">]>'.encode()
    assert colour(rendered(entity + drawing('<image width="10" height="20" href="&path;"/>'))) == CLEAR
    inner = data_url(drawing(image), "image/svg+xml")
    assert colour(rendered(drawing(f'<image width="10" height="20" href="{inner}"/>'))) == CLEAR
    for outer in (f'<!ENTITY a SYSTEM "{secret.as_uri()}">', f'<!ENTITY % a SYSTEM "{secret.as_uri()}"> %a;'):
        assert near(colour(rendered(f"<!DOCTYPE svg [{outer}]>".encode() + drawing(rect() + "&a;"))), RED)


def test_nothing_is_fetched() -> None:
    asked: list[str] = []

    class Server(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)

    with HTTPServer(("127.0.0.1", 0), Server) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        address = f"http://127.0.0.1:{server.server_port}"
        data = drawing(f'<image width="9" height="9" href="{address}/a.png"/><style>@import url({address}/b);</style>{rect()}')
        rendered(f'<!DOCTYPE svg SYSTEM "{address}/c.dtd">'.encode() + data)
        server.shutdown()
        thread.join()

    assert asked == []


# ---- refusals


def test_repeated_use_that_multiplies_is_refused() -> None:
    layers = "".join(f'<g id="a{n}">' + f'<use href="#a{n - 1}"/>' * 10 + "</g>" for n in range(1, 12))
    with pytest.raises(BadFile, match="so many elements") as refused:
        run(drawing(f'<defs><rect id="a0" width="1" height="1"/>{layers}</defs><use href="#a11"/>'))

    assert refused.value.code == "unsupported"


def test_elements_that_use_each_other_are_refused() -> None:
    assert reason(drawing('<g id="a"><use href="#b"/></g><g id="b"><use href="#a"/></g>')) == "unsupported"


def test_entities_that_multiply_are_refused() -> None:
    entities = '<!ENTITY a0 "ha">' + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))

    assert reason(f"<!DOCTYPE svg [{entities}]>".encode() + drawing("<text>&a9;</text>")) == "corrupt"
    assert reason(b'<!DOCTYPE svg [<!ENTITY a "&b;"><!ENTITY b "&a;">]>' + drawing("&a;")) == "corrupt"


def test_deep_nesting_is_refused_before_the_stack_ends() -> None:
    assert near(colour(rendered(drawing("<g>" * 98 + rect() + "</g>" * 98))), RED)
    assert reason(drawing("<g>" * 100_000)) == "unsupported"


def test_too_much_xml_is_refused() -> None:
    assert reason(gzip.compress(drawing(" " * (32 << 20)), 1)) == "too_much_metadata"


def test_a_drawing_at_which_resvg_panics_is_corrupt() -> None:
    url = data_url(saved(plain("RGB", RED), "PNG"))

    assert reason(drawing(f'<image width="5" height="1e9" href="{url}"/>', 'width="1e-38" height="20"')) == "corrupt"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (drawing(rect())[:-1], "truncated"),
        (drawing(rect())[:-6], "truncated"),
        (drawing(rect())[:40], "truncated"),
        (drawing("<![CDATA[ unfinished"), "truncated"),
        (gzip.compress(drawing(rect()), mtime=0)[:-9], "truncated"),
        (b"<svg", "not_a_picture"),
        (drawing("</g>"), "corrupt"),
        (drawing("&nbsp;"), "corrupt"),
        (drawing("<a:b/>"), "corrupt"),
        (drawing("\x00"), "corrupt"),
        ("<svg>Käse</svg>".encode("latin-1"), "corrupt"),
        (drawing(rect(), 'width="0" height="20"'), "corrupt"),
        (b"<!DOCTYPE svg><html/>", "corrupt"),
        (b"<?xml version='1.0' encoding='klingon'?>" + drawing(), "unsupported"),
        (b"<html><svg/></html>", "not_a_picture"),
        (b"<?xml version='1.0'?><rss/>", "not_a_picture"),
        (gzip.compress(b"no drawing", mtime=0), "not_a_picture"),
        (b"\x1f\x8b\x08", "not_a_picture"),
    ],
)
def test_what_is_no_whole_drawing_is_refused(data: bytes, code: str) -> None:
    assert reason(data) == code


def test_pictures_in_all_drawings_inside_count_together() -> None:
    picture = data_url(saved(plain("L", 0, (100, 100)), "PNG"))
    inner = data_url(drawing(f'<image href="{picture}"/>'), "image/svg+xml")
    data = drawing(f'<image href="{inner}"/>' * 3)

    assert reason(data, max_pixels=29_999) == "too_many_pixels"
    assert run(data, max_pixels=30_000)


# ---- colours


@pytest.mark.parametrize(
    "paint",
    [
        "var(--a, red)",
        "color(display-p3 1 0 0)",
        "OKLCH(60% 0.2 30)",
        "light-dark(red, blue)",
        "rgb(255 0 0 / 50%)",
        "rgba(255, 0, 0, 50%)",
        "hsl(0deg, 100%, 50%)",
        "rgb(none 0 0)",
    ],
)
def test_a_colour_that_would_be_black_is_refused(paint: str) -> None:
    long = "/* a longer comment than the parser's buffer */" * 400
    for data in (rect(paint), f'<rect style="fill:{paint}"/>', f"<style>{long}rect {{ fill: {paint} }}</style>{rect()}"):
        with pytest.raises(BadFile, match=rf"an SVG drawing with {paint.partition('(')[0]}\(\) of newer CSS") as refused:
            run(drawing(data))
        assert refused.value.code == "unsupported"


@pytest.mark.parametrize(
    "paint", ["rgb(255 0 0)", "rgb(100%,0%,0%)", "rgba(255,0,0,1)", "hsl(0 100% 50%)", "#f00 icc-color(press, 0, 1)", "RED"]
)
def test_a_colour_that_is_understood_is_painted(paint: str) -> None:
    assert near(colour(rendered(drawing(rect(paint)))), RED)
    assert near(colour(rendered(drawing(f"<style>rect {{ fill: {paint} }}</style>{rect('blue')}"))), RED)
    assert near(colour(rendered(drawing(f"<title>var(--a)</title>{rect(paint)}"))), RED)


@pytest.mark.parametrize("name", ["rebeccapurple", "RebeccaPurple"])
def test_the_newest_named_colour_is_painted(name: str) -> None:
    assert near(colour(rendered(drawing(rect(name)))), (102, 51, 153))
