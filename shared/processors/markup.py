"""Whether a text is well-formed JSON, JSON lines or XML.

Nothing is built in memory, and no entity is fetched or multiplied.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.parsers import expat  # from 2.4 on it stops entities that multiply

#: Longest text, and longest line of JSON lines, that is checked as JSON; it is in memory then.
MAX_JSON_CHARACTERS = 32 << 20
_BLOCK_CHARACTERS = 1 << 20
_STRING = r'"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*+"'
_NUMBER = r"-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?"
#: A token of JSON (RFC 8259) with the white space before it: a string, another scalar, or punctuation.
_TOKEN = re.compile(rf"[ \t\n\r]*+(?:({_STRING})|({_NUMBER}|true|false|null)|([\[\]{{}}:,]))")
_SPACE = re.compile(r"[ \t\n\r]*+")


def facts(source: Path, encoding: str, head: str) -> dict[str, Any]:
    """The format and validity by the first characters; nothing for other texts."""
    if head.startswith("<"):
        is_valid = is_xml(source, encoding)
        # Without its declaration, what is not well-formed may be HTML or anything else.
        return {"format": "xml", "valid": is_valid} if is_valid or head.startswith("<?xml") else {}
    return _json_facts(source, encoding) if head.startswith(("{", "[")) else {}


def is_json(text: str) -> bool:
    """Whether this is one JSON value (RFC 8259), at any depth; `NaN` is none."""
    # Per open container, whether it is an object; and the kinds of tokens that may follow.
    is_object, place, expected = bytearray(), 0, "value"
    while found := _TOKEN.match(text, place):
        place = found.end()
        kind = found[3] or ("string" if found[1] else "scalar")
        expected = _next(is_object, kind, expected)
        if not expected:
            return False
        if expected == "end":
            return _SPACE.fullmatch(text, place) is not None
    return False


def _next(is_object: bytearray, kind: str, expected: str) -> str:
    """The part of the grammar after this token; empty where the token is wrong, `end` after the last one.

    `first` is a value or the end of an empty array, `key` a name or the end of an empty object, `name` a name, `comma` a comma
    or an end.
    """
    if kind in "[{" and expected in ("value", "first"):
        is_object.append(kind == "{")
        return "key" if kind == "{" else "first"
    if kind in "]}" and (expected == "comma" or expected == ("key" if kind == "}" else "first")):
        if not is_object or is_object.pop() != (kind == "}"):
            return ""
    elif kind == "string" and expected in ("key", "name"):
        return "colon"
    elif kind in ":,":
        wanted = "colon" if kind == ":" else "comma"
        after = "value" if kind == ":" or is_object[-1:] != b"\1" else "name"
        return after if expected == wanted else ""
    elif kind not in ("string", "scalar") or expected not in ("value", "first"):
        return ""
    return "comma" if is_object else "end"


def is_xml(source: Path, encoding: str) -> bool:
    """Whether this is well-formed XML. One in an encoding that the parser has not is decoded first."""
    with source.open("rb") as file:
        try:
            return _parsed(expat.ParserCreate(), iter(lambda: file.read(_BLOCK_CHARACTERS), b""))
        except (LookupError, ValueError):
            pass
    with source.open(encoding=encoding, errors="replace") as text:
        blocks = iter(lambda: text.read(_BLOCK_CHARACTERS).encode(), b"")
        return _parsed(expat.ParserCreate("utf-8"), blocks)


def _parsed(parser: expat.XMLParserType, blocks: Iterator[bytes]) -> bool:
    try:
        for block in blocks:
            parser.Parse(block, False)
        parser.Parse(b"", True)
    except expat.ExpatError:
        return False
    return True


def _json_facts(source: Path, encoding: str) -> dict[str, Any]:
    """JSON lines are found by their first line, which is a whole value, and by more lines after it."""
    with source.open(encoding=encoding, errors="replace") as file:
        lines = iter(lambda: file.readline(MAX_JSON_CHARACTERS + 1), "")
        first = next((line for line in lines if line.strip()), "")
        if len(first) > MAX_JSON_CHARACTERS:
            return {}
        if is_json(first):
            others = (line for line in lines if line.strip())
            second = next(others, "")
            if second:
                return {"format": "ndjson", "valid": is_json(second) and all(map(is_json, others))}
            return {"format": "json", "valid": True}
        rest = file.read(MAX_JSON_CHARACTERS + 1 - len(first))
    return {"format": "json", "valid": is_json(first + rest)} if len(first + rest) <= MAX_JSON_CHARACTERS else {}
