"""The filter language of subscriptions (Pub/Sub: "Filtering syntax"), compiled to a predicate on attributes.

expression = term { AND term } | term { OR term }      (mixing the two needs parentheses)
term       = [ NOT | - ] ( "(" expression ")" | attributes:KEY | attributes.KEY = "…" | attributes.KEY != "…"
             | hasPrefix(attributes.KEY, "…") )
"""

import json
import re
from collections.abc import Callable, Mapping

from localcloud.errors import ApiError

Filter = Callable[[Mapping[str, str]], bool]

MAX_BYTES = 256

_TOKEN = re.compile(r'\s*(?:("(?:[^"\\]|\\.)*")|([A-Za-z0-9_][A-Za-z0-9_-]*)|(!=|[():.,=-]))')
_KEYWORDS = ("AND", "OR", "NOT")


def parse_filter(text: str) -> Filter:
    """Compile a filter; the empty filter matches every message. Raises INVALID_ARGUMENT with the reason."""
    if len(text.encode()) > MAX_BYTES:
        raise ApiError("INVALID_ARGUMENT", f"Invalid filter: it is longer than {MAX_BYTES} bytes.")
    if not text.strip():
        return lambda _: True
    return _Parser(text).whole()


class _Parser:
    """Recursive descent over the tokens of one filter."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = _tokens(text)
        self._position = 0

    def whole(self) -> Filter:
        result = self._expression()
        if self._peek():
            raise _invalid(self._text, f"unexpected {self._peek()!r}")
        return result

    def _expression(self) -> Filter:
        terms = [self._term()]
        operator = self._peek()
        while operator in ("AND", "OR") and self._peek() == operator:
            self._next()
            terms.append(self._term())
        if self._peek() in ("AND", "OR"):
            raise _invalid(self._text, "use parentheses to combine AND and OR")
        return _all(terms) if operator == "AND" else _any(terms)

    def _term(self) -> Filter:
        word = self._next()
        if word in ("NOT", "-"):
            return _not(self._term())
        if word == "(":
            inner = self._expression()
            self._expect(")")
            return inner
        if word == "hasPrefix":
            return self._prefix()
        if word == "attributes":
            return self._comparison()
        raise _invalid(self._text, f"unexpected {word!r}" if word else "unexpected end")

    def _comparison(self) -> Filter:
        if self._peek() == ":":
            self._next()
            return _has(self._key())
        self._expect(".")
        key, operator = self._key(), self._next()
        if operator not in ("=", "!="):
            raise _invalid(self._text, f"expected = or != after the key {key!r}")
        equal = _equals(key, self._string())
        return equal if operator == "=" else _not(equal)

    def _prefix(self) -> Filter:
        for token in ("(", "attributes", "."):
            self._expect(token)
        key = self._key()
        self._expect(",")
        prefix = self._string()
        self._expect(")")
        return _starts(key, prefix)

    def _key(self) -> str:
        token = self._next()
        if token.startswith('"'):
            return _unquote(token, self._text)
        if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_-]*", token) or token in _KEYWORDS:
            raise _invalid(self._text, "expected an attribute key")
        return token

    def _string(self) -> str:
        token = self._next()
        if not token.startswith('"'):
            raise _invalid(self._text, "expected a value in double quotes")
        return _unquote(token, self._text)

    def _peek(self) -> str:
        return self._tokens[self._position] if self._position < len(self._tokens) else ""

    def _next(self) -> str:
        token = self._peek()
        self._position += 1
        return token

    def _expect(self, token: str) -> None:
        if self._next() != token:
            raise _invalid(self._text, f"expected {token!r}")


def _tokens(text: str) -> list[str]:
    tokens, position = [], 0
    end = len(text.rstrip())
    while position < end:
        match = _TOKEN.match(text, position)
        if not match:
            raise _invalid(text, f"unexpected {text[position:].strip()[:20]!r}")
        tokens.append(match[1] or match[2] or match[3])
        position = match.end()
    return tokens


def _unquote(token: str, text: str) -> str:
    # JSON has no hexadecimal and octal escapes: rewrite them as \uXXXX first.
    escaped = re.sub(r"\\x([0-9A-Fa-f]{2})", r"\\u00\1", token)
    escaped = re.sub(r"\\([0-3][0-7]{2})", lambda match: f"\\u{int(match[1], 8):04x}", escaped)
    try:
        return str(json.loads(escaped, strict=False))
    except ValueError:
        raise _invalid(text, f"unknown escape in {token}") from None


def _invalid(text: str, reason: str) -> ApiError:
    return ApiError("INVALID_ARGUMENT", f"Invalid filter {text!r}: {reason}.")


def _has(key: str) -> Filter:
    return lambda attributes: key in attributes


def _equals(key: str, value: str) -> Filter:
    return lambda attributes: key in attributes and attributes[key] == value


def _starts(key: str, prefix: str) -> Filter:
    return lambda attributes: key in attributes and attributes[key].startswith(prefix)


def _not(inner: Filter) -> Filter:
    return lambda attributes: not inner(attributes)


def _all(terms: list[Filter]) -> Filter:
    return lambda attributes: all(term(attributes) for term in terms)


def _any(terms: list[Filter]) -> Filter:
    return lambda attributes: any(term(attributes) for term in terms)
