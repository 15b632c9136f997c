"""HTML and Markdown: visible text, white space, encodings, and markup that hurts."""

from typing import Any

import pytest

from shared.testing import run_processor


def facts(data: bytes) -> dict[str, Any]:
    return dict(run_processor("document.facts", data).facts)


def text(data: bytes) -> str:
    return run_processor("document.text", data).outputs[0].data.decode()


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        (b"<p>one\n  two <b>three</b> four\t</p> <p>five", "one two three four\nfive"),
        (b"<html><head><title>no</title><p>yes", "yes"),
        (b"<p>a<script>no<p></script><style>no</style><template>no</template><noscript>no</noscript>b", "ab"),
        (b"<p>a<svg><title>no</title><text>no</text></svg>b", "ab"),
        (b"<p>a<svg><path><p>b", "a\nb"),
        (b"<p><svg/>a", "a"),
        (b"<table><tr><td>a</td><td></td><td> c </td></tr><tr><td>d", "a\t\tc\nd"),
        (b"<p>x</p><pre>a\n  b</pre>c<br>d", "x\na\n  b\nc\nd"),
        (b"<p>&lt;&eacute;&#8364;&#0;&#xd800;&nope;", "<é€\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}&nope;"),
        (b"<p>a<!-- no -->b<!-- open", "ab"),
        (b"<p>a</div></p></b><x>b", "a\nb"),
        (b"<div>" * 20_000 + b"x", "x"),
        (b"\xef\xbb\xbf<!DOCTYPE html>x", "x"),
        (b"<!---->" * 500 + b"x", "<!---->" * 500 + "x"),
    ],
    ids=[
        *("spaces", "open head", "unseen", "svg", "open svg", "empty svg", "table", "pre", "entities", "comments", "broken"),
        *("deep", "mark", "comments alone"),
    ],
)
def test_the_text_of_a_page_is_that_which_is_seen(page: bytes, expected: str) -> None:
    assert text(page) == expected


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        ('<html><meta charset="windows-1251"><p>Да'.encode("cp1251"), "Да"),
        ('<html><meta http-equiv=x content="text/html; charset=Shift_JIS"><p>日本'.encode("shift_jis"), "日本"),
        ('<?xml version="1.0" encoding="euc-jp"?><html><p>日本'.encode("euc_jp"), "日本"),
        ("<html><meta charset=iso-2022-jp><p>日本".encode("iso2022_jp"), "日本"),
        ('<html><meta charset="iso-8859-1"><p>€'.encode("cp1252"), "€"),
        ('<html><meta charset="iso-8859-1"><p>é'.encode(), "é"),
        ('<html><meta charset="undefined"><p>Größe, schön'.encode("cp1252"), "Größe, schön"),
        ("\ufeff<html><p>é".encode("utf-16-be"), "é"),
    ],
    ids=["meta", "http-equiv", "xml", "iso-2022", "latin-1", "a lie", "undefined", "utf-16"],
)
def test_the_encoding_is_the_declared_one_unless_it_is_a_lie(page: bytes, expected: str) -> None:
    assert text(page) == expected


def test_the_title_is_the_first_one() -> None:
    page = b"<title>A &amp; B</title><body><svg><title>icon</title></svg><title>C</title><a name=x></a><a href=y></a>"

    assert facts(page) == {"format": "html", "title": "A & B", "links": 1}


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"# The  title #\n\n- one\n- two\n", {"format": "markdown", "title": "The title"}),
        (b"# Towns\n\n| a | b |\n|---|:-:|\n| 1 | 2 |\n", {"format": "markdown", "title": "Towns"}),
        (b'---\ntitle: "Front"\n---\n\n# Other\n\n**bold**\n', {"format": "markdown", "title": "Front"}),
        (b"#!/bin/sh\n# a comment\nls\n", {"format": "text"}),
        (b"plain\n", {"format": "text"}),
        (b"", {"format": "text"}),
    ],
)
def test_markdown_states_its_title(data: bytes, expected: dict[str, str]) -> None:
    assert facts(data) == expected
