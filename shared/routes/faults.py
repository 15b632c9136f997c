"""The faults of a pipeline.toml, collected so that one start-up shows them all."""

import json
import re
from collections.abc import Collection, Mapping
from typing import Any

from shared import processors
from shared.errors import BadConfiguration, PipelineError
from shared.routes.kinds import Key

MAX_SHOWN_CHARACTERS = 80


class Faults:
    """Collects faults: a line each, with its key and a right value.

    `names` are the names of the pools, queues and steps; of a table that cannot be read, any name is right.
    """

    def __init__(self) -> None:
        self.names: dict[str, Collection[str]] = {}
        self._lines: list[str] = []
        self._cause: BaseException | None = None

    def add(self, path: str, problem: str, remedy: str) -> None:
        """A fault at this key."""
        self._lines.append(f"{path}: {problem}; {remedy}")

    def wrong(self, path: str, value: Any, remedy: str) -> None:
        """A value that is not allowed at this key."""
        self.add(path, f"{_shown(value)} is not allowed", remedy)

    def refused(self, path: str, error: PipelineError) -> None:
        """The refusal of a processor; its message begins with a key below this one."""
        self._lines.append(f"{path}.{error.message}")
        self._cause = self._cause or error.__cause__

    def settle(self) -> None:
        """Raise `BadConfiguration` with all faults, if there are any."""
        if self._lines:
            raise BadConfiguration("\n".join(self._lines)) from self._cause

    def read(self, path: str, value: Any, keys: Mapping[str, Key]) -> dict[str, Any]:
        """The right values of a table. Unknown keys, missing and wrong values are faults."""
        if not isinstance(value, dict):
            self.wrong(path, value, f"write a table with {', '.join(keys)}")
            return {}
        for unknown in (name for name in value if name not in keys):
            self.add(below(path, unknown), "unknown key", f"the keys here are {', '.join(keys)}")
        right = {name: self._right(below(path, name), value, name, key) for name, key in keys.items()}
        return {name: one for name, one in right.items() if one is not None}

    def check_name(self, path: str, name: str, pattern: str) -> None:
        """Add a fault unless this is a name of this pattern."""
        if not re.fullmatch(pattern, name):
            self.add(path, f"a name takes lower-case letters, digits and hyphens ({pattern})", "rename it")

    def _right(self, path: str, table: Mapping[str, Any], name: str, key: Key) -> Any:
        """The value; without the unknown names in a list. None when it is missing or wrong."""
        value = table.get(name)
        if value is None:
            if key.required:
                self.add(path, "missing", self._remedy(key))
            return None
        if not key.accepts(value):
            self.wrong(path, value, self._remedy(key))
            return None
        named = value if isinstance(value, list) else [value]
        unknown = [one for one in named if not self._is_known(one, key)]
        for one in unknown:
            self.wrong(path, one, self._remedy(key))
        if not unknown:
            return value
        return [one for one in named if one not in unknown] if isinstance(value, list) else None

    def _is_known(self, value: Any, key: Key) -> bool:
        return not key.names or value in self.names.get(key.names, (value,))

    def _remedy(self, key: Key) -> str:
        remedy = key.remedy
        for names in ("pools", "queues", "steps"):
            remedy = remedy.replace(f"{{{names}}}", ", ".join(sorted(self.names.get(names, ()))) or f"[{names}.<name>]")
        return remedy.replace("{processors}", _processors()) if "{processors}" in remedy else remedy


def below(path: str, name: str) -> str:
    """The path of a key in the table at this path, quoted as TOML does where it has to be."""
    key = name if re.fullmatch("[A-Za-z0-9_-]+", name) else json.dumps(name)
    return f"{path}.{_cut(key)}" if path else _cut(key)


def _processors() -> str:
    try:
        return ", ".join(processors.names())
    except PipelineError as error:  # the module of another processor cannot be imported
        return error.message


def _shown(value: Any) -> str:
    try:
        return _cut(repr(value))
    except ValueError:  # a hexadecimal number of thousands of digits can be read, but not written
        return "a number of thousands of digits"


def _cut(text: str) -> str:
    return text if len(text) <= MAX_SHOWN_CHARACTERS else f"{text[: MAX_SHOWN_CHARACTERS - 3]}..."
