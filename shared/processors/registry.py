"""What a processor is, and the table of those that have been declared."""

import dataclasses
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from shared.errors import BadConfiguration, BadFile


@dataclass(frozen=True, slots=True)
class Draft:
    """An output before it is stored: a file in the working folder. `name` is at most 64 bytes, with no slash."""

    name: str
    content_type: str
    path: Path
    facts: Mapping[str, Any] = field(default_factory=dict)


Work = Callable[[Path, Path, Any], Iterable[Draft]]


@dataclass(frozen=True, slots=True)
class Processor:
    """`work(source, folder, options)` reads the file, writes outputs into the folder and yields their drafts.

    Raise the `version` whenever the same file and options would give other bytes: it is part of the recipe's id.
    """

    name: str
    version: int
    options: type
    work: Work

    def check(self, options: Mapping[str, Any]) -> Mapping[str, Any]:
        """The options as JSON has them, with their defaults filled in. Raises `BadConfiguration` naming the one that is wrong."""
        if not isinstance(options, Mapping):
            raise BadConfiguration(f"options: {options!r} is not a table")
        known = [option.name for option in dataclasses.fields(self.options)]
        for unknown in (name for name in options if name not in known):
            raise BadConfiguration(f"options.{unknown}: {self.name} knows {', '.join(known) or 'no options'}")
        checked: Mapping[str, Any] = json.loads(json.dumps(dataclasses.asdict(self.options(**options))))
        return checked

    def run(self, source: Path, folder: Path, options: Mapping[str, Any]) -> list[Draft]:
        """Do the work now, in this process. Raises `BadFile` when the file itself is at fault."""
        drafts = list(self.work(source, folder, self.options(**options)))
        if not drafts:
            raise BadFile(f"{self.name} made nothing of this file", "no_output")
        return drafts


#: name → processor, filled by the decorator
registered: dict[str, Processor] = {}


def processor(name: str, *, version: int, options: type) -> Callable[[Work], Work]:
    """Declare a processor; `options` is a frozen dataclass whose `__post_init__` raises `BadConfiguration`."""

    def declare(work: Work) -> Work:
        if name in registered:
            raise BadConfiguration(f"two processors are called {name!r}")
        registered[name] = Processor(name, version, options, work)
        return work

    return declare
