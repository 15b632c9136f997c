"""The definition of a processor, and the table of the declared ones."""

import dataclasses
import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from shared import media, naming
from shared.errors import BadConfiguration, BadFile, PipelineError, summary


@dataclass(frozen=True, slots=True)
class Draft:
    """An output that is not yet stored: a file in the working folder.

    `name` has 1 to 64 bytes of printable UTF-8 without a slash; no two drafts of one file share a name.
    """

    name: str
    content_type: str
    path: Path
    facts: Mapping[str, Any] = field(default_factory=dict)


Work = Callable[[Path, Path, Any], Iterable[Draft]]


@dataclass(frozen=True, slots=True)
class Processor:
    """A named way to make outputs from a file.

    `work(source, folder, options)` reads the file at `source`, writes outputs into `folder` and yields their drafts.
    Raise the `version` whenever the same file and options would give other bytes: it is part of the recipe's id.
    """

    name: str
    version: int
    options: type
    work: Work

    def check(self, options: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the options as JSON values, with their defaults. Raises `BadConfiguration` naming the wrong one."""
        if not isinstance(options, Mapping):
            raise BadConfiguration("options: not a table; write options = { name = value }")
        known = [option.name for option in dataclasses.fields(self.options)]
        for unknown in (name for name in options if name not in known):
            listed = f"has the options {', '.join(known)}" if known else "has no options"
            raise BadConfiguration(f"options.{unknown}: unknown; {self.name} {listed}")
        try:
            checked: Mapping[str, Any] = json.loads(json.dumps(dataclasses.asdict(self.options(**options)), allow_nan=False))
        except PipelineError:
            raise
        except Exception as error:  # a missing option, a date, a number that JSON has not, a mistake in the check itself
            raise BadConfiguration(f"options: {self.name} refuses them: {summary(error)}; correct their types") from error
        return checked

    def run(self, source: Path, folder: Path, options: Mapping[str, Any]) -> list[Draft]:
        """Do the work now, in this process.

        Raises `BadFile` when the file is at fault, `ValueError` for wrong names, content types or facts of outputs.
        """
        try:
            drafts = list(self.work(source, folder, self.options(**options)))
        except SystemExit as error:  # it would end the server's worker, and the verdict would lack a message
            raise RuntimeError(f"{self.name} called sys.exit({error.code!r}); raise an exception instead") from error
        if not drafts:
            raise BadFile(f"{self.name} found nothing to make from this file", "no_output")
        self._check_names([draft.name for draft in drafts])
        self._check_types(drafts)
        self._check_facts(drafts)
        return drafts

    def _check_types(self, drafts: list[Draft]) -> None:
        for draft in drafts:
            if not isinstance(draft.content_type, str) or not media.is_valid(draft.content_type):
                remedy = "write a media type such as image/webp"
                raise ValueError(f"{self.name} gives {draft.name!r} the content type {draft.content_type!r}; {remedy}")

    def _check_facts(self, drafts: list[Draft]) -> None:
        for draft in drafts:
            try:
                dict(draft.facts)
                json.dumps(draft.facts, allow_nan=False, sort_keys=True)
            except (TypeError, ValueError) as error:
                raise ValueError(f"{self.name} gives {draft.name!r} facts that JSON cannot hold: {error}") from error

    def _check_names(self, names: list[str]) -> None:
        for name in names:
            if not naming.is_output(name):
                limit = f"1 to {naming.MAX_OUTPUT_BYTES} printable bytes without a slash"
                raise ValueError(f"{self.name} names an output {name!r}; a name takes {limit}")
        repeated = next((name for name, count in Counter(names).items() if count > 1), None)
        if repeated:
            raise ValueError(f"{self.name} gives the name {repeated!r} to several outputs of one file; make each unique")


#: name → processor, filled by the decorator
registered: dict[str, Processor] = {}


def processor(name: str, *, version: int, options: type) -> Callable[[Work], Work]:
    """Declare a processor. `options` is a frozen dataclass whose `__post_init__` raises `BadConfiguration`."""

    def declare(work: Work) -> Work:
        if name in registered:
            raise BadConfiguration(f"two processors are named {name!r}; rename one")
        if not dataclasses.is_dataclass(options):
            remedy = "write a class under @dataclass(frozen=True, slots=True)"
            raise BadConfiguration(f"the options of {name!r} are not a dataclass; {remedy}")
        registered[name] = Processor(name, version, options, work)
        return work

    return declare
