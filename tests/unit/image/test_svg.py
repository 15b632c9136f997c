"""SVG: drawn at the wanted size, with text, styles and entities, in any encoding."""

import gzip
import io
from typing import Any

import pytest
from PIL import Image

from shared.processors import extras
from shared.testing import run_processor
from tests.unit.image.pictures import BLUE, GREEN, RED, colour, near, rendered, run
from tests.unit.image.svgs import CLEAR, LINKS, drawing, rect

pytestmark = pytest.mark.skipif(not extras.is_installed("svg"), reason=extras.remedy("svg"))


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


def test_a_drawing_of_nearly_the_shape_of_its_view_box_is_not_distorted() -> None:
    view = 'width="20" height="19" viewBox="0 0 10 10"'
    picture = rendered(drawing(rect("#f00", 'width="10" height="10"'), view), 100)

    assert (colour(picture, 0.005, 0.5)[3], colour(picture, 0.995, 0.5)[3]) == (0, 0)
    assert near(colour(picture), (*RED, 255))
