"""The statements of Office and OpenDocument files about themselves."""

from collections.abc import Mapping
from typing import Any

from shared.processors.documents.package import Package
from shared.processors.documents.words import MAX_FACT_CHARACTERS, iso_date, stated

#: Elements of docProps/core.xml (ECMA-376-2 §11) and of meta.xml (OpenDocument 1.3 §4.3) → facts. In the latter, `creator` is
#: the last author.
OFFICE = {
    **{name: name for name in ("title", "subject", "description", "keywords", "language")},
    "creator": "author",
    "created": "created_at",
    "modified": "modified_at",
}
OPEN = {
    **{name: name for name in ("title", "subject", "description", "language")},
    "initial-creator": "author",
    "keyword": "keywords",
    "creation-date": "created_at",
    "date": "modified_at",
}
_DATES = ("created_at", "modified_at")


class _Collected:
    def __init__(self, names: Mapping[str, str]) -> None:
        self.found: dict[str, str] = {}
        self._names = names
        self._fact = ""

    def start(self, tag: str, _found: Mapping[str, str]) -> None:
        self._fact = self._names.get(tag, "")
        if self._fact in self.found:
            self.found[self._fact] += ", " * (self._fact == "keywords")
            self._fact *= self._fact == "keywords"  # of several titles the first

    def end(self, _tag: str) -> None:
        self._fact = ""

    def text(self, characters: str) -> None:
        if self._fact and len(before := self.found.get(self._fact, "")) <= MAX_FACT_CHARACTERS:
            self.found[self._fact] = before + characters


def read(package: Package, part: str, names: Mapping[str, str]) -> dict[str, Any]:
    """The facts of a part; none where it is missing. Raises `BadFile`."""
    collected = _Collected(names)
    package.parse(part, collected)
    dates = {name: iso_date(collected.found.pop(name, "")) for name in _DATES}
    return stated({**collected.found, **dates})
