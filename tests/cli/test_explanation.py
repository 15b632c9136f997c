"""`./sluice explain` as a table: long lists of a route are cut, so that a line fits a terminal."""

import re

import pytest

from cli import files, texts
from shared.model import Json
from tests.cli.conftest import Sluice

FITTING = "image/jpeg, image/png, image/x-portables"
TYPES = "image/jpeg, image/png, image/webp, image/gif, image/tiff"


def route(content_type: str, width: int = 0) -> str:
    """The line of a route that takes files of these types."""
    found: Json = {"route": 1, "takes": False, "content_type": content_type, "name": "**", "steps": ["a"], "why": "w" * 300}
    file: Json = {"object": "a", "content_type": "text/plain", "size": 1, "exists": True, "verdict": "", "ignored": []}
    answer = {**file, "use": {"calls": 1, "dollars": 0.0}, "steps": [], "routes": [found]}
    return texts.of_explanation(answer, width).splitlines()[3]


@pytest.mark.parametrize(
    ("content_type", "shown"),
    [
        ("image/*", "image/*"),
        (FITTING, FITTING),
        (TYPES, "image/jpeg, image/png, image/webp, 2 more"),
        (f"application/{'x' * 60}", f"application/{'x' * 27}…"),
        (f"application/{'x' * 60}, text/csv", f"application/{'x' * 27}…, 1 more"),
    ],
)
def test_a_long_list_is_cut(content_type: str, shown: str) -> None:
    assert re.split(r" {2,}", route(content_type).strip())[2] == shown


def test_a_line_is_cut_to_the_terminal() -> None:
    assert len(route("image/*", 120)) == 120
    assert len(route("image/*")) > 300


def test_the_command_asks_for_the_width_of_its_terminal(sluice: Sluice, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "terminal_width", lambda: 1)

    assert any(line.endswith("…") for line in sluice("explain", "a.txt", "--content-type", "text/plain").lines)
