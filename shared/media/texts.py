"""Kinds of text by their beginning: HTML, XML, e-mail, JSON and JSON lines. All else is in `tables`."""

import codecs
import json
import re
from xml.parsers import expat  # from 2.4 on it stops entities that multiply

HTML, XML, MAIL, JSON, LINES = "text/html", "application/xml", "message/rfc822", "application/json", "application/x-ndjson"

_SVG_ELEMENT = re.compile(r"<(?:[\w.-]+:)?svg[\s/>]")
_SVG_DOCTYPE = re.compile(r"<!DOCTYPE\s+(?:[\w.-]+:)?svg[\s>\[]")
_HTML = re.compile(r"<(?:!doctype\s+html|html|head|body|title|meta|script)[\s/>]", re.IGNORECASE)
#: RFC 5322 §2.2: a field of a message, and its continuation; then those that a message begins with or has (§3.6).
_FIELD = re.compile(r"[!-9;-~]+:.*|[ \t]+\S.*")
_FIRST = re.compile(
    r"(?:Return-Path|Received|Delivered-To|Message-ID|MIME-Version|From|To|Subject|Date|Reply-To|DKIM-Signature|ARC-[\w-]+"
    r"|X-[\w-]+|Authentication-Results|Content-Type):",
    re.IGNORECASE,
)
_NAMED = re.compile(r"^(From|To|Subject|Date|Message-ID|MIME-Version|Received):", re.IGNORECASE | re.MULTILINE)
#: RFC 8259 §2: a token, or what an end of the head leaves of a text or number.
_TOKEN = re.compile(r'[ \t\r\n]*+(?:"(?:[^"\\\x00-\x1f]|\\.)*+"|-?\d[\d.eE+-]*+|true|false|null|[{}\[\],:])', re.DOTALL)
_PART = re.compile(r'[ \t\r\n]*+(?:"(?:[^"\\\x00-\x1f]|\\.?)*+|-|[a-z]{1,4})?', re.DOTALL)


def as_text(head: bytes) -> str:
    """Markup in any encoding that XML names by its first bytes (XML 1.0 appendix F); other characters do not matter."""
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return head.decode("utf-16", errors="replace")
    if head[:4] in (b"<\0?\0", b"\0<\0?"):
        return head.decode("utf-16-le" if head[0] else "utf-16-be", errors="replace")
    return head.removeprefix(codecs.BOM_UTF8).decode("latin-1")


def is_drawing(text: str) -> bool:
    """Whether the first element behind comments and declarations is that of an SVG drawing."""
    text = _behind_declarations(text)
    return bool(_SVG_ELEMENT.match(text) or _SVG_DOCTYPE.match(text))


def by_mark(text: str) -> str | None:
    """HTML, XML with its declaration, or e-mail: their first words are clear in any encoding."""
    if _HTML.match(_behind_declarations(text)):
        return HTML
    if text.startswith("<?xml") and text[5:6].isspace():
        return XML
    return MAIL if _is_mail(text) else None


def by_grammar(text: str, *, is_whole: bool) -> str | None:
    """XML, JSON or JSON lines by their grammar; `text` is the whole file or its beginning."""
    start = text.lstrip()
    if start.startswith("<"):
        return XML if _is_xml(start, is_whole=is_whole) else None
    if not start.startswith(("{", "[")):
        return None
    if _is_lines(start, is_whole=is_whole):
        return LINES
    return JSON if _is_json(start) or (not is_whole and _begins_json(start)) else None


def _behind_declarations(text: str) -> str:
    text = text.lstrip()
    while text.startswith(("<?", "<!--")):
        text = text.partition("?>" if text.startswith("<?") else "-->")[2].lstrip()
    return text


def _is_mail(text: str) -> bool:
    """Whether the lines before the first empty one are fields, two of them those of a message."""
    if not _FIRST.match(text):
        return False
    whole = text.replace("\r\n", "\n")
    fields, blank, _ = whole.partition("\n\n")
    lines = fields.split("\n")
    complete = lines if blank else lines[:-1]
    named = {name.lower() for name in _NAMED.findall(fields)}
    return len(named) >= 2 and all(_FIELD.fullmatch(line) for line in complete)


def _is_xml(text: str, *, is_whole: bool) -> bool:
    """Whether an element begins it, and nothing up to its end breaks the rules."""
    elements: list[str] = []
    parser = expat.ParserCreate()
    parser.StartElementHandler = lambda name, _attributes: elements.append(name)
    try:
        parser.Parse(text, is_whole)
    except expat.ExpatError:
        return False
    return bool(elements)


def _is_lines(text: str, *, is_whole: bool) -> bool:
    """Whether each complete line is an object, and there are two."""
    lines = [line for line in text.split("\n") if line.strip()]
    complete = lines if is_whole else lines[:-1]
    if not text.startswith("{") or len(lines) < 2 or not complete:
        return False
    return all(line.lstrip().startswith("{") for line in lines) and all(_is_json(line) for line in complete)


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _begins_json(text: str) -> bool:
    """Whether these are tokens of JSON up to the end, and no bracket closes the whole before it."""
    at, depth, before = 0, 0, ""
    while found := _TOKEN.match(text, at):
        part = found[0].lstrip()
        depth += (part in "{[") - (part in "}]")
        if depth <= 0 or (before and not _may_follow(before, part)):
            return False
        at, before = found.end(), part
    return depth > 0 and _PART.fullmatch(text, at) is not None


def _may_follow(before: str, part: str) -> bool:
    """Whether one of both is a bracket, a comma or a colon: two values never stand side by side."""
    return (before in "{[,:") != (part in "}],:") or (before + part) in ("{}", "[]")
