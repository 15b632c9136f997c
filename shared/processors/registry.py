"""The definition of a processor, and the table of the declared ones."""

import dataclasses
import json
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from types import MappingProxyType
from typing import Any

from shared import media, naming
from shared.errors import BadConfiguration, BadFile, Permanent, PipelineError, summary
from shared.model import LIMITS, Limits, canonical
from shared.processors import programs as found_programs
from shared.processors.programs import Programs

#: Facts with more bytes of JSON become an output of this name: a manifest is read whole, and a notice carries it.
MAX_FACTS_BYTES = 64 << 10
FACTS_NAME = "facts.json"
#: Of a list among facts: with the other facts it stays within those bytes, so that conditions can test those.
MAX_LISTED_BYTES = 48 << 10


@dataclass(frozen=True, slots=True)
class NoOptions:
    """The options of a processor that has none."""


@dataclass(frozen=True, slots=True)
class Draft:
    """An output that is not yet stored: a file in the working folder.

    `name` has 1 to 64 bytes of printable UTF-8 without a slash; no two drafts of one file share a name.
    """

    name: str
    content_type: str
    path: Path
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Made:
    """Everything that a processor made from a file: drafts of its outputs, and facts as plain JSON."""

    drafts: tuple[Draft, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)


#: of the source, the folder, the options and, where the processor declares them, the paths of assets by name, and programs
Work = Callable[..., Iterable[Draft | Mapping[str, Any]]]
Names = Callable[[Any], Iterable[str]]
NO_ASSETS: Mapping[str, Path] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Processor:
    """A named way to make outputs and facts from a file.

    `work(source, folder, options)` reads the file at `source`, writes outputs into `folder`, yields their drafts, and yields facts
    as mappings. Raise the `version` whenever the same file and options would give other bytes: it is part of the recipe's id.
    `declared(options)` gives the names of the outputs; see `outputs`. `limits` hold unless a step sets its own. The sandbox
    calls `prepare` once, before there is a file: it imports libraries, and does what they do on first use. `assets(options)` gives
    the names of the operator's objects that `work` reads; it finds their paths by name in a fourth argument. `programs` are names
    of the programs that it may start, by the `Programs` in its last argument. With `describes_storage`, its facts of a file that
    is stored with a Content-Encoding also have that, as `content_encoding`. What `work` makes where it `extracts` are uploads
    (`shared.extraction`); then `declared` names the outputs that come besides.

    With `outside(options, reach)`, the processor decodes nothing: it streams the file to another service, outside the sandbox, and
    gets a `shared.outside.Reach` as the fourth argument. The function raises `BadConfiguration` for what the settings lack.
    `is_kept` is False where a success must not be adopted by a later run.
    """

    name: str
    version: int
    options: type
    work: Work
    declared: Names | None = None
    limits: Limits = LIMITS
    prepare: Callable[[], None] = lambda: None
    assets: Names | None = None
    programs: tuple[str, ...] = ()
    describes_storage: bool = False
    extracts: bool = False
    outside: Callable[[Any, Any], None] | None = None
    is_kept: bool = True

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

    def outputs(self, options: Mapping[str, Any]) -> tuple[str, ...] | None:
        """The declared names of the outputs under checked options, as patterns of `fnmatch`; None without a declaration."""
        return None if self.declared is None else tuple(self.declared(self.options(**options)))

    def needed(self, options: Mapping[str, Any]) -> tuple[str, ...]:
        """The names of the assets under checked options."""
        return tuple(self.assets(self.options(**options))) if self.assets else ()

    def run(
        self,
        source: Path,
        folder: Path,
        options: Mapping[str, Any],
        assets: Mapping[str, Path] = NO_ASSETS,
        programs: Programs | None = None,
        reach: Any = None,
    ) -> Made:
        """Do the work now, in this process. Programs are those of this machine, unless given.

        Raises `BadFile` when the file is at fault, `ValueError` for wrong names, content types or facts.
        """
        given: list[object] = [assets] if self.assets else []
        given += [programs or Programs(found_programs.find(self.programs))] if self.programs else []
        given += [reach] if self.outside else []
        parts = self._parts(source, folder, options, given)
        drafts = [one for one in parts if isinstance(one, Draft)]
        facts = self._merge([one for one in parts if not isinstance(one, Draft)])
        if not drafts and not facts:
            raise BadFile(f"{self.name} found nothing to make from this file", "no_output")
        if facts and any(draft.name == FACTS_NAME for draft in drafts):
            raise ValueError(f"{self.name} names an output {FACTS_NAME!r}, which is kept for large facts; choose another name")
        made = self.checked(Made(tuple(drafts), facts), options)
        if len(canonical(dict(made.facts))) > MAX_FACTS_BYTES:
            return Made((*made.drafts, _as_draft(made.facts, folder)))
        return made

    def _parts(self, source: Path, folder: Path, options: Mapping[str, Any], given: list[object]) -> list[Any]:
        """Drafts and facts, as the work yields them."""
        try:
            return list(self.work(source, folder, self.options(**options), *given))
        except SystemExit as error:  # it would end the server's worker, and the verdict would lack a message
            raise RuntimeError(f"{self.name} called sys.exit({error.code!r}); raise an exception instead") from error
        except BadFile:
            raise
        except Permanent as error:  # acknowledged as hopeless, the step would never have a verdict
            remedy = f"raise BadFile for a file at fault: {summary(error)}"
            raise RuntimeError(f"{self.name} raised {type(error).__name__}; {remedy}") from error

    def checked(self, made: Made, options: Mapping[str, Any]) -> Made:
        """The outputs and facts, these as plain JSON. Raises `ValueError` for wrong names, content types or facts."""
        self._check_names([draft.name for draft in made.drafts], options)
        self._check_types(made.drafts)
        drafts = (dataclasses.replace(draft, facts=self._as_json(draft.facts, repr(draft.name))) for draft in made.drafts)
        return Made(tuple(drafts), self._as_json(made.facts, "the file"))

    def _merge(self, parts: list[Any]) -> dict[str, Any]:
        merged: dict[str, Any] = {}
        for part in parts:
            if not isinstance(part, Mapping):
                raise ValueError(f"{self.name} yields {part!r:.80}; yield a Draft for an output, a dict for facts")
            if repeated := merged.keys() & part.keys():
                raise ValueError(f"{self.name} gives the fact {min(repeated)!r} twice; give each once")
            merged |= part
        return merged

    def _as_json(self, facts: Mapping[str, Any], owner: str) -> dict[str, Any]:
        """The facts as a manifest holds them, so that a condition sees the same in this delivery and in a later one."""
        try:
            read_back: dict[str, Any] = json.loads(json.dumps(dict(facts), allow_nan=False, sort_keys=True))
        except (TypeError, ValueError) as error:
            raise ValueError(f"{self.name} gives {owner} facts that JSON cannot hold: {error}") from error
        return read_back

    def _check_types(self, drafts: Iterable[Draft]) -> None:
        for draft in drafts:
            if not isinstance(draft.content_type, str) or not media.is_valid(draft.content_type):
                remedy = "write a media type such as image/webp"
                raise ValueError(f"{self.name} gives {draft.name!r} the content type {draft.content_type!r}; {remedy}")

    def _check_names(self, names: list[str], options: Mapping[str, Any]) -> None:
        for name in names:
            if not naming.is_output(name):
                limit = f"1 to {naming.MAX_OUTPUT_BYTES} printable bytes without a slash"
                raise ValueError(f"{self.name} names an output {name!r}; a name takes {limit}")
        if len(set(names)) < len(names):
            repeated = next(name for name in names if names.count(name) > 1)
            raise ValueError(f"{self.name} gives the name {repeated!r} to several outputs of one file; make each unique")
        patterns = self.outputs(options)
        declared = (*(patterns or ()), FACTS_NAME)
        # Most patterns are names: compiling them would cost each child of the sandbox a millisecond.
        undeclared = [name for name in names if name not in declared and not any(fnmatchcase(name, one) for one in declared)]
        if patterns is not None and undeclared and not self.extracts:
            raise ValueError(f"{self.name} makes {undeclared[0]!r}, which its `outputs` do not declare; declare it")


def _as_draft(facts: Mapping[str, Any], folder: Path) -> Draft:
    with tempfile.NamedTemporaryFile(dir=folder, delete=False) as file:  # a name that no draft's file has
        file.write(canonical(dict(facts)))
    return Draft(FACTS_NAME, "application/json", Path(file.name))


def _check_declaration(name: str, options: type) -> None:
    if name in registered:
        raise BadConfiguration(f"two processors are named {name!r}; rename one")
    if not dataclasses.is_dataclass(options):
        remedy = "write a class under @dataclass(frozen=True, slots=True)"
        raise BadConfiguration(f"the options of {name!r} are not a dataclass; {remedy}")


#: name → processor, filled by the decorator
registered: dict[str, Processor] = {}


def processor(
    name: str,
    *,
    version: int,
    options: type,
    outputs: Names | None = None,
    limits: Limits = LIMITS,
    prepare: Callable[[], None] = lambda: None,
    assets: Names | None = None,
    programs: tuple[str, ...] = (),
    describes_storage: bool = False,
    extracts: bool = False,
    outside: Callable[[Any, Any], None] | None = None,
    is_kept: bool = True,
) -> Callable[[Work], Work]:
    """Declare a processor. `options` is a frozen dataclass whose `__post_init__` raises `BadConfiguration`.

    `outputs` takes the options and gives the names of the outputs, as patterns of `fnmatch`: with it, a step whose `input` names
    an output that is never made is refused at start-up. `limits` and all after it are as in `Processor`.
    """

    def declare(work: Work) -> Work:
        _check_declaration(name, options)
        traits = programs, describes_storage, extracts, outside, is_kept
        registered[name] = Processor(name, version, options, work, outputs, limits, prepare, assets, *traits)
        return work

    return declare
