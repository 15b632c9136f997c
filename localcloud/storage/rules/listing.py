"""Lists of objects in the order of their UTF-8 names: prefixes, delimiters, `matchGlob` and pages. Pure.

https://cloud.google.com/storage/docs/json_api/v1/objects/list
"""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import quote

from localcloud.storage.errors import invalid
from localcloud.storage.model import Object
from localcloud.storage.rules.globs import Glob

MAX_RESULTS = 1000
#: Rows per read with a delimiter: after a common prefix, the other rows are discarded.
_DELIMITED_ROWS = 20
_LAST_CHARACTER = "\U0010ffff"

#: Name and generation of the last object that was seen.
Cursor = tuple[str, int]
#: Returns the next objects after a cursor, up to a limit.
Reader = Callable[[Cursor, int], list[Object]]


@dataclass(frozen=True, slots=True)
class Query:
    """The requested part of a bucket; the page begins after `cursor`."""

    prefix: str = ""
    delimiter: str = ""
    end: str = ""
    glob: Glob | None = None
    includes_trailing_delimiter: bool = False
    limit: int = MAX_RESULTS
    cursor: Cursor = ("", -1)
    #: Whether the answer shows names percent-encoded (XML API: `encoding-type=url`).
    is_encoded: bool = False

    def shown(self, name: str) -> str:
        """A name, prefix or delimiter in the form that the client asked for."""
        return quote(name) if self.is_encoded else name

    def ends_before(self, name: str) -> bool:
        """Whether this name and all later ones are outside the requested part."""
        return (bool(self.end) and name >= self.end) or (name > self.prefix and not name.startswith(self.prefix))

    def group(self, name: str) -> str:
        """The common prefix of this name, up to the first delimiter after `prefix`; "" for an item."""
        if not self.delimiter:
            return ""
        position = name.find(self.delimiter, len(self.prefix))
        return name[: position + len(self.delimiter)] if position >= 0 else ""


@dataclass(slots=True)
class Page:
    """Objects and common prefixes of one answer; `token` continues the list, "" after the last page."""

    items: list[Object] = field(default_factory=list)
    prefixes: list[str] = field(default_factory=list)
    token: str = ""


def list_page(query: Query, read: Reader) -> Page:
    """One page. The objects of a common prefix are skipped in one read, however many they are."""
    page = Page()
    cursor = query.cursor
    rows = min(query.limit + 1, _DELIMITED_ROWS if query.delimiter else MAX_RESULTS + 1)
    while batch := read(cursor, rows):
        for found in batch:
            if (found.name, found.generation) <= cursor:
                continue  # in the last common prefix
            if query.ends_before(found.name):
                return page
            if len(page.items) + len(page.prefixes) >= query.limit:
                page.token = encode_token(cursor)
                return page
            group = query.group(found.name)
            cursor = (_after(group), -1) if group else (found.name, found.generation)
            _add(page, query, found, group)
    return page


def encode_token(cursor: Cursor) -> str:
    """An opaque page token."""
    return base64.urlsafe_b64encode(json.dumps(cursor).encode()).decode()


def decode_token(token: str) -> Cursor:
    """Read the token of `encode_token`; 400 for any other text."""
    if not token:
        return ("", -1)
    try:
        name, generation = json.loads(base64.urlsafe_b64decode(token))
        name.encode()
        if type(generation) is int and -1 <= generation < 2**63:
            return name, generation
    except (ValueError, TypeError, AttributeError, RecursionError):
        pass
    raise invalid(f"Invalid pageToken: {token[:60]!r}")


def _add(page: Page, query: Query, found: Object, group: str) -> None:
    if group and (not query.glob or query.glob.matches(group)):
        page.prefixes.append(group)
    is_item = not group or (query.includes_trailing_delimiter and group == found.name)
    if is_item and (not query.glob or query.glob.matches(found.name)):
        page.items.append(found)


def _after(prefix: str) -> str:
    """The first name in byte order after all names with this prefix."""
    stem = prefix.rstrip(_LAST_CHARACTER)
    if not stem:
        return _LAST_CHARACTER * 257
    code = ord(stem[-1]) + 1
    return stem[:-1] + chr(0xE000 if code == 0xD800 else code)
