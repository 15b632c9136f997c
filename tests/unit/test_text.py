"""Texts: facts against values counted by hand, in pieces of every size."""

from typing import Any

import pytest

from shared.errors import BadFile
from shared.testing import run_processor


def facts(data: bytes) -> dict[str, Any]:
    return dict(run_processor("text.facts", data).facts)


@pytest.mark.parametrize(
    ("data", "lines", "words", "characters", "longest"),
    [
        (b"", 0, 0, 0, 0),
        (b"one", 1, 1, 3, 3),
        (b"one two\nthree\n", 2, 3, 14, 7),
        (b"a\r\nbc\r\n", 2, 2, 5, 2),
        ("ä öü\n\n".encode(), 2, 2, 6, 4),
        (b" \n\t", 2, 0, 3, 1),
    ],
)
def test_lines_words_and_characters_are_counted(data: bytes, lines: int, words: int, characters: int, longest: int) -> None:
    expected = {"lines": lines, "words": words, "characters": characters, "longest_line": longest}

    assert {name: value for name, value in facts(data).items() if name in expected} == expected


def test_pieces_do_not_change_the_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    data = b"one two\nthree  four\n\nfive" * 3
    whole = facts(data)
    for size in range(1, 9):
        monkeypatch.setattr("shared.processors.text._BLOCK_CHARACTERS", size)
        assert facts(data) == whole


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        (b"plain", "utf-8"),
        ("ä".encode(), "utf-8"),
        ("\ufeffä".encode(), "utf-8"),
        ("\ufeffä".encode("utf-16-le"), "utf-16"),
        ("\ufeffä".encode("utf-16-be"), "utf-16"),
        ("\ufeffä".encode("utf-32-le"), "utf-32"),
        ("\ufeffä".encode("utf-32-be"), "utf-32"),
        (b"Voil\xc3", "cp1252"),
        ("Größe: 5 €, größer".encode("cp1252"), "cp1252"),
        ("Größe ohne Marke".encode("utf-16-le"), "utf-16-le"),
        ("Größe ohne Marke".encode("utf-16-be"), "utf-16-be"),
        ("これは日本語のテキストです。".encode("shift_jis") * 20, "shift-jis"),
        ("Привет, как дела? Это текст на русском языке.".encode("cp1251"), "cp1251"),
    ],
)
def test_the_encoding_is_found(data: bytes, encoding: str) -> None:
    assert facts(data)["encoding"] == encoding


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b'{"a": [1, 2]}', {"format": "json", "valid": True}),
        (b"[1, 2", {"format": "json", "valid": False}),
        (b'{"a": 1}\n{"a": 2}\n', {"format": "ndjson", "valid": True}),
        (b'{"a": 1}\n{"a": \n', {"format": "ndjson", "valid": False}),
        (b'<?xml version="1.0"?><a><b/></a>', {"format": "xml", "valid": True}),
        (b'<?xml version="1.0"?><a><b></a>', {"format": "xml", "valid": False}),
        (b"[" * 100_000, {"format": "json", "valid": False}),
        (b"[" * 100_000 + b"]" * 100_000, {"format": "json", "valid": True}),
        (b'[NaN, {"a": Infinity}]', {"format": "json", "valid": False}),
        (b'{"a": 1, "a": 2, "b": [], "c": {}, "d": "\\u00e4\\n", "e": -1.5E+3}', {"format": "json", "valid": True}),
        (b"[1,]", {"format": "json", "valid": False}),
        (b"{,}", {"format": "json", "valid": False}),
        (b'{"a"}', {"format": "json", "valid": False}),
        (b'{"a": 1 "b": 2}', {"format": "json", "valid": False}),
        (b'["\\u00e"]', {"format": "json", "valid": False}),
        (b"[01]", {"format": "json", "valid": False}),
        (b'["a\tb"]', {"format": "json", "valid": False}),
        (b"[1}", {"format": "json", "valid": False}),
        (b"[1] 2", {"format": "json", "valid": False}),
        (b"[" + b"9" * 5000 + b"]", {"format": "json", "valid": True}),
        (b'\xef\xbb\xbf{"a": "\xc3\xa4"}', {"format": "json", "valid": True}),
        ('{"a": "é"}'.encode("cp1252"), {"format": "json", "valid": True}),
        (b"[1]\n\n[2]\n", {"format": "ndjson", "valid": True}),
        ('<?xml version="1.0" encoding="Shift_JIS"?><a>日本</a>'.encode("shift_jis"), {"format": "xml", "valid": True}),
        (b'<?xml version="1.0" encoding="none"?><a/>', {"format": "xml", "valid": True}),
        (b"<rss><a/></rss>", {"format": "xml", "valid": True}),
        (b"<p>one<br>two", {}),
        (b"plain", {}),
    ],
)
def test_json_and_xml_are_checked(data: bytes, expected: dict[str, Any]) -> None:
    found = facts(data)

    assert {name: value for name, value in found.items() if name in ("format", "valid")} == expected


def test_entities_are_not_expanded() -> None:
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 30))

    assert facts(f'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY e0 "x">{entities}]><a>&e29;</a>'.encode())["valid"] is False


def test_a_long_text_is_not_checked_as_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.processors.markup.MAX_JSON_CHARACTERS", 10)

    assert "valid" not in facts(b"[1, 2, 3, 4]")
    assert facts(b"[1]\n" * 10)["valid"] is True


@pytest.mark.parametrize("data", [b"\x1b[1mbold\x1b[0m", b"a\x08b", b"page\x0cpage", b"end\x1a"])
def test_characters_of_terminals_and_printers_are_text(data: bytes) -> None:
    assert facts(data)["characters"] == len(data)


@pytest.mark.parametrize("data", [b"\0\0" * 9 + b"a\0", b"text\0text", b"a\0b", b"\x01\x02", b"\xff\xfe\x01\x00"])
def test_a_file_that_is_no_text_is_refused(data: bytes) -> None:
    with pytest.raises(BadFile) as error:
        facts(data)

    assert error.value.code == "not_a_text"
