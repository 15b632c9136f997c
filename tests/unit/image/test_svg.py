"""SVG: drawn at the wanted size, from nothing but the file; bombs and broken XML are refused by name."""

import base64
import gzip
import io
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from shared.errors import BadFile
from shared.processors import extras
from shared.testing import run_processor
from tests.unit.image.pictures import BLUE, GREEN, RED, colour, near, plain, reason, rendered, run, saved

pytestmark = pytest.mark.skipif(not extras.is_installed("svg"), reason=extras.remedy("svg"))

LINKS = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
CLEAR = (0, 0, 0, 0)


def drawing(inside: str = "", attributes: str = 'width="10" height="20"') -> bytes:
    return f"<svg {LINKS} {attributes}>{inside}</svg>".encode()


def rect(paint: str = "#f00", size: str = 'width="10" height="20"') -> str:
    return f'<rect {size} fill="{paint}"/>'


def data_url(data: bytes, kind: str = "image/png") -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


def facts(data: bytes) -> tuple[Any, ...]:
    found = run_processor("image.facts", data).facts
    return found["width_px"], found["height_px"]


# ---- size


@pytest.mark.parametrize(
    ("attributes", "own", "drawn"),
    [
        ('width="10" height="20"', (10, 20), (32, 64)),
        ('width="10px" height="20.0"', (10, 20), (32, 64)),
        ('width="1in" height="72pt"', (96, 96), (64, 64)),
        ('width="25.4mm" height="5.08cm"', (96, 192), (32, 64)),
        ('viewBox="0 0 300 100"', (300, 100), (64, 21)),
        ('viewBox="-5,-5 , 10 30"', (10, 30), (21, 64)),
        ('width="100%" height="100%" viewBox="0 0 300 100"', (300, 100), (64, 21)),
        ('width="30" viewBox="0 0 300 100"', (30, 10), (64, 21)),
        ('height="30" viewBox="0 0 300 100"', (90, 30), (64, 21)),
        ("", (300, 150), (64, 32)),
        ('width="auto" viewBox="0 0 0 5"', (300, 150), (64, 32)),
        ('width="1e9" height="5e8"', (1_000_000_000, 500_000_000), (64, 32)),
        ('width="1e999" height="nan"', (300, 150), (64, 32)),
        ('width="1000000" height="1"', (1_000_000, 1), (64, 1)),
        ('width="0.01" height="0.02"', (1, 1), (32, 64)),
    ],
)
def test_the_size_is_the_wanted_one_in_the_drawings_shape(attributes: str, own: object, drawn: object) -> None:
    data = drawing(rect(size='x="-50%" y="-50%" width="200%" height="200%"'), attributes)
    picture = rendered(data, 64)

    assert (facts(data), picture.size) == (own, drawn)
    assert {colour(picture, x, y) for x in (0, 0.5, 0.99) for y in (0, 0.5, 0.99)} == {(*RED, 255)}, "to the edge"


def test_a_drawing_has_no_more_pixels_than_the_limit() -> None:
    (produced,) = run(drawing(rect(), 'width="4" height="4"'), (512,), max_pixels=10_000)

    assert Image.open(io.BytesIO(produced.data)).size == (100, 100)


def test_a_box_is_covered_or_filled_up() -> None:
    made = [run(drawing(rect()), ("40x40",), fit=fit)[0].data for fit in ("cover", "pad")]
    assert [Image.open(io.BytesIO(data)).size for data in made] == [(40, 40), (40, 40)]


def test_a_view_box_of_another_shape_is_centred() -> None:
    picture = rendered(drawing(rect(size='width="10" height="10"'), 'width="20" height="10" viewBox="0 0 10 10"'), 64)

    assert [colour(picture, x) for x in (0.1, 0.5, 0.9)] == [CLEAR, (*RED, 255), CLEAR]


def test_each_size_is_sharp_as_the_largest_is_drawn_at_its_own_size() -> None:
    halves = drawing(rect("#000", 'width="1" height="2"') + rect("#fff", 'x="1" width="1" height="2"'), 'viewBox="0 0 2 2"')
    picture = rendered(halves, 1000)

    assert [colour(picture, x)[0] for x in (0.499, 0.5)] == [0, 255]


# ---- content


def test_the_background_stays_transparent() -> None:
    picture = rendered(drawing('<circle cx="5" cy="10" r="4" fill="#00f"/>'))

    assert (colour(picture, 0.05, 0.05), colour(picture)) == (CLEAR, (*BLUE, 255))
    assert near(colour(rendered(drawing(), kind="jpeg")), (255, 255, 255))


def test_facts_are_those_of_the_drawing() -> None:
    assert run_processor("image.facts", drawing(rect()), add=["dominant_colour", "gps"]).facts == {
        "width_px": 10,
        "height_px": 20,
        "format": "svg",
        "frames": 1,
        "bit_depth": 8,
        "colour_space": "rgb",
        "orientation": 1,
        "dominant_colour": "#ff0000",
    }


@pytest.mark.parametrize("family", ["", "Arial", "serif", "monospace", "No Such Font"])
@pytest.mark.parametrize("text", ["Hello", "Grüße", "Привет", "Ελλάδα"])
def test_text_has_a_font(family: str, text: str) -> None:
    data = drawing(f'<text y="40" font-size="40" font-family="{family}">{text}</text>', 'viewBox="0 0 200 50"')

    assert _ink(data) > 300


def test_bold_text_has_more_ink() -> None:
    thin, bold = (
        drawing(f'<text y="40" font-size="40" font-weight="{weight}">Hello</text>', 'viewBox="0 0 200 50"')
        for weight in (400, 700)
    )
    assert _ink(bold) > 1.2 * _ink(thin)


def _ink(data: bytes) -> int:
    return sum(rendered(data, 200).getchannel("A").tobytes()) // 255


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "iso-8859-1", "windows-1252"])
def test_any_encoding_is_read(encoding: str) -> None:
    paint = '<linearGradient id="ä"><stop stop-color="#0f0"/></linearGradient>' + rect("url(#ä)")
    text = f'<?xml version="1.0" encoding="{encoding.removesuffix("-sig")}"?>\n<!-- Zeichnung: Käse -->\n'
    text += f'<svg {LINKS} width="10" height="20">{paint}</svg>'

    assert near(colour(rendered(text.encode(encoding))), GREEN)


@pytest.mark.parametrize("start", ["", "<?xml version='1.0'?>", "<!-- <html> --> \n", "<!DOCTYPE svg>", " \n"])
def test_a_drawing_may_begin_with_declarations(start: str) -> None:
    assert near(colour(rendered(start.encode() + drawing(rect()))), RED)


def test_entities_of_the_file_are_resolved() -> None:
    """Illustrator writes its name spaces as entities."""
    names = '<!ENTITY ns "http://www.w3.org/2000/svg"><!ENTITY paint "#00f">'
    data = f'<!DOCTYPE svg [{names}]><svg xmlns="&ns;" width="1" height="1"><rect width="1" height="1" fill="&paint;"/></svg>'

    assert near(colour(rendered(data.encode())), BLUE)


def test_a_prefix_for_every_element_is_no_fault() -> None:
    data = b'<s:svg xmlns:s="http://www.w3.org/2000/svg" width="1" height="1"><s:rect width="1" height="1" fill="red"/></s:svg>'

    assert near(colour(rendered(data)), RED)


def test_a_compressed_drawing_is_opened() -> None:
    assert near(colour(rendered(gzip.compress(drawing(rect())))), RED)


def test_styles_and_gradients_and_reuse_are_drawn() -> None:
    inside = '<style>.a { fill: lime }</style><defs><rect id="r" class="a" width="10" height="10"/></defs>'
    picture = rendered(drawing(inside + '<use xlink:href="#r"/><use href="#r" y="10" fill="red"/>'))

    assert [near(colour(picture, 0.5, y), GREEN) for y in (0.2, 0.8)] == [True, True]


def test_scripts_and_events_change_nothing() -> None:
    script = "<script>document.documentElement.innerHTML = ''</script>"
    data = drawing(f'{script}<a href="javascript:alert(1)">{rect()}</a>', 'width="10" height="20" onload="alert(1)"')

    assert near(colour(rendered(data)), RED)


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


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (drawing(rect())[:-1], "truncated"),
        (drawing(rect())[:-6], "truncated"),
        (drawing(rect())[:40], "truncated"),
        (drawing("<![CDATA[ unfinished"), "truncated"),
        (gzip.compress(drawing(rect()))[:-9], "truncated"),
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
        (gzip.compress(b"no drawing"), "not_a_picture"),
        (b"\x1f\x8b\x08", "not_a_picture"),
    ],
)
def test_what_is_no_whole_drawing_is_refused(data: bytes, code: str) -> None:
    assert reason(data) == code
