"""XML answers and their elements."""

import base64
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from localcloud.http import Answer
from localcloud.storage.errors import invalid
from localcloud.storage.model import Object

_NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"


def xml_answer(name: str, *content: str, status: int = 200) -> Answer:
    """An answer whose body is one XML element."""
    body = f"<?xml version='1.0' encoding='UTF-8'?><{name} xmlns='{_NAMESPACE}'>{''.join(content)}</{name}>"
    return Answer(status, [(b"content-type", b"application/xml; charset=UTF-8")], body.encode("utf-8", "replace"))


def element(name: str, text: str) -> str:
    """`<name>text</name>`"""
    return f"<{name}>{escape(text)}</{name}>"


def group(name: str, *elements: str) -> str:
    """An element that contains others."""
    return f"<{name}>{''.join(elements)}</{name}>"


def parse_xml(body: bytes, name: str, xml_code: str) -> ElementTree.Element:
    """The root of a document of this name; 400 for any other body."""
    try:
        # The body's length is limited, and expat itself refuses entities that expand without limit.
        root = ElementTree.fromstring(body)  # noqa: S314
    except (ElementTree.ParseError, ValueError, LookupError):  # the last two for an encoding that expat cannot read
        root = ElementTree.Element("")
    if root.tag.rpartition("}")[2] != name:
        raise invalid(f"The body is not a {name} document.", xml_code)
    return root


def xml_etag(stored: Object) -> str:
    """An object's entity tag in the XML API: its MD5 in hexadecimal, where it has one."""
    if stored.md5:
        return f'"{base64.b64decode(stored.md5).hex()}"'
    return f'"{stored.generation}-{stored.metageneration}"'
