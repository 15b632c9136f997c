"""Addresses lead to the very name they were made for, also through a browser's rules for paths."""

from urllib.parse import unquote, urlsplit

import pytest

from shared.console import addresses


@pytest.mark.parametrize("name", ["a b/ü.jpg", "a?b#c&d=e.jpg", "tail/", "a//b", "/root", "100%25", "<img src=x>", "a\\b", '"'])
def test_a_name_stands_in_the_path(name: str) -> None:
    parts = urlsplit(addresses.of_file(name))

    assert unquote(parts.path) == f"/files/{name}"
    assert (parts.query, parts.fragment) == ("", "")
    assert not set(parts.path) & set("\"'<> ?#&")


@pytest.mark.parametrize("name", ["a/../b", "..", "./a", "a/.", "x/./y"])
def test_a_name_that_browsers_would_fold_stands_in_the_query(name: str) -> None:
    parts = urlsplit(addresses.of_file(name, told="begun"))

    assert parts.path == "/files/"
    assert parts.query == f"name={name.replace('/', '%2F')}&told=begun"


def test_parameters_are_encoded() -> None:
    assert addresses.of_file("a", older="1&b") == "/files/a?older=1%26b"


def test_an_output_keeps_its_odd_name() -> None:
    assert addresses.of_output("id-1", "step", "1 %?.png") == "/outputs/id-1/step/1%20%25%3F.png"
