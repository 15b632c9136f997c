"""The relationships of a part in an Office file (ECMA-376-2 §6.5). External ones are left out."""

import posixpath
from collections.abc import Mapping

from shared.processors.documents.package import Package


class Relations:
    """Those of a part; of the whole package for the part with an empty name."""

    def __init__(self, package: Package, part: str) -> None:
        """Raises `BadFile`."""
        self._folder, name = posixpath.split(part)
        self._targets: dict[str, tuple[str, str]] = {}
        package.parse(posixpath.join(self._folder, "_rels", f"{name}.rels"), self)

    def target(self, name: str) -> str:
        """The part that a relationship of this id leads to; empty where it is missing."""
        return self._targets.get(name, ("", ""))[1]

    def of(self, kind: str) -> list[str]:
        """The parts of one kind, each once, such as `footnotes`: strict files have other namespaces before it."""
        return list(dict.fromkeys(part for found, part in self._targets.values() if found == kind))

    def start(self, tag: str, found: Mapping[str, str]) -> None:
        """See `Handler`."""
        if tag == "Relationship" and found.get("TargetMode") != "External":
            part = posixpath.normpath(posixpath.join("/", self._folder, found.get("Target", ""))).lstrip("/")
            self._targets[found.get("Id", "")] = (found.get("Type", "").rpartition("/")[2], part)

    def end(self, tag: str) -> None:
        """See `Handler`."""

    def text(self, characters: str) -> None:
        """See `Handler`."""
