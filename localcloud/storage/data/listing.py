"""Lists of objects: prefixes, delimiters and pages over names in the order of their UTF-8 bytes."""

import base64
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field

from localcloud.storage.errors import invalid, unsupported
from localcloud.storage.http import Request
from localcloud.storage.model import Object
from localcloud.storage.rules.conditions import number
from localcloud.storage.rules.globs import compile_glob

MAX_RESULTS = 1000
#: Read at once where a common prefix may leave all but the first unused.
_ROWS_TO_JUMP_IN = 20
_LAST_CHARACTER = "\U0010ffff"

Cursor = tuple[str, int]
#: The objects after a cursor, so many at most.
Reader = Callable[[Cursor, int], list[Object]]


@dataclass(frozen=True, slots=True)
class Query:
    """Which part of a bucket is wanted; the page begins after `cursor`."""

    prefix: str = ""
    delimiter: str = ""
    end: str = ""
    glob: re.Pattern[str] | None = None
    includes_trailing_delimiter: bool = False
    limit: int = MAX_RESULTS
    cursor: Cursor = ("", -1)

    def ends_before(self, name: str) -> bool:
        """Whether no name from this one on is wanted."""
        return (bool(self.end) and name >= self.end) or (name > self.prefix and not name.startswith(self.prefix))

    def group(self, name: str) -> str:
        """The common prefix that stands for this name, up to the first delimiter after the prefix; "" for none."""
        if not self.delimiter:
            return ""
        position = name.find(self.delimiter, len(self.prefix))
        return name[: position + len(self.delimiter)] if position >= 0 else ""


@dataclass(slots=True)
class Page:
    """What one answer shows; `token` leads to the next page, "" when this was the last."""

    items: list[Object] = field(default_factory=list)
    prefixes: list[str] = field(default_factory=list)
    token: str = ""


def parse_query(request: Request) -> Query:
    """From the parameters of `objects.list`; 400 for what makes no sense."""
    query = request.query
    if request.flag("softDeleted"):
        raise unsupported("softDeleted")
    prefix = query.get("prefix", "")
    limit = number(query, "maxResults")
    start = max(prefix, query.get("startOffset", ""))
    return Query(
        prefix,
        query.get("delimiter", ""),
        query.get("endOffset", ""),
        compile_glob(query["matchGlob"]) if query.get("matchGlob") else None,
        request.flag("includeTrailingDelimiter"),
        min(limit or MAX_RESULTS, MAX_RESULTS),
        max((start, -1), decode_token(query.get("pageToken", ""))),
    )


def list_page(query: Query, read: Reader) -> Page:
    """One page; a common prefix is skipped with one jump, however many objects it holds."""
    page = Page()
    cursor = query.cursor
    rows = min(query.limit + 1, _ROWS_TO_JUMP_IN if query.delimiter else MAX_RESULTS + 1)
    while batch := read(cursor, rows):
        for found in batch:
            if (found.name, found.generation) <= cursor:
                continue  # in the common prefix that was just seen
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
    """A page token that clients cannot read anything into."""
    return base64.urlsafe_b64encode(json.dumps(cursor).encode()).decode()


def decode_token(token: str) -> Cursor:
    """Reads `encode_token`; 400 for anything else."""
    if not token:
        return ("", -1)
    try:
        name, generation = json.loads(base64.urlsafe_b64decode(token))
        name.encode()
        return name, int(generation)
    except (ValueError, TypeError, AttributeError, RecursionError):
        raise invalid(f"Invalid pageToken: {token[:60]!r}") from None


def _add(page: Page, query: Query, found: Object, group: str) -> None:
    if group and (not query.glob or query.glob.fullmatch(group)):
        page.prefixes.append(group)
    is_item = not group or (query.includes_trailing_delimiter and group == found.name)
    if is_item and (not query.glob or query.glob.fullmatch(found.name)):
        page.items.append(found)


def _after(prefix: str) -> str:
    """The first name, in byte order, that follows all names with this prefix."""
    stem = prefix.rstrip(_LAST_CHARACTER)
    if not stem:
        return _LAST_CHARACTER * 257
    code = ord(stem[-1]) + 1
    return stem[:-1] + chr(0xE000 if code == 0xD800 else code)
