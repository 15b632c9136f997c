"""XML answers and their elements."""

from xml.sax.saxutils import escape

from localcloud.http import Answer

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
