"""A processor that follows a script in its options: the outcome of each try, the facts and the outputs.

Its outputs are hashes of its options and of its input, so that an output made from something else is seen.
"""

import contextlib
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from shared.errors import BadFile, Unavailable
from shared.processors import Draft, Processor
from shared.processors.registry import registered

NAME = "proof.scripted"
VERSION = 1
#: Outcomes of one try. A script's last outcome repeats for ever. The first two end a step, the next two cost an attempt.
OK, FAIL, DIE, RAISE, TRANSIENT = "ok", "fail", "die", "raise", "transient"


class Killed(BaseException):
    """The end of a process in the middle of its work, which no handler catches."""


class ScriptedDeath(Killed):
    """The end of a process because the script says so."""


class Observer(Protocol):
    """Sees each try of a step, and counts them."""

    def try_step(self, step: str, source: bytes) -> int:
        """The number of this try, from 0."""


#: The observer of the current thread.
observer: ContextVar[Observer] = ContextVar("observer")


@dataclass(frozen=True, slots=True)
class Script:
    """`salt` makes recipes differ."""

    step: str
    salt: int = 0
    script: Sequence[str] = (OK,)
    facts: Mapping[str, Any] = field(default_factory=dict)
    outputs: Sequence[str] = ("0",)


def output(options: Mapping[str, Any], name: str, source: bytes) -> bytes:
    """The bytes of one output, which depend on the options and on the input."""
    exact = json.dumps([options["step"], options["salt"], list(options["script"]), name, hashlib.sha256(source).hexdigest()])
    return hashlib.sha256(exact.encode()).hexdigest().encode()


@contextlib.contextmanager
def registered_meanwhile() -> Iterator[None]:
    """Make the processor known until the block ends: other tests look at all processors that there are."""
    registered[NAME] = Processor(NAME, VERSION, Script, work)
    try:
        yield
    finally:
        del registered[NAME]


def work(source: Path, folder: Path, options: Script) -> Iterator[Draft | Mapping[str, Any]]:
    """Do what the script says for this try."""
    data = source.read_bytes()
    number = observer.get().try_step(options.step, data)
    outcome = options.script[min(number, len(options.script) - 1)]
    if outcome == FAIL:
        raise BadFile("the script says so", "scripted")
    if outcome == DIE:
        raise ScriptedDeath("the script says so")
    if outcome == RAISE:
        raise ZeroDivisionError("the script says so")
    if outcome == TRANSIENT:
        raise Unavailable("the script says so; retry")
    yield options.facts
    table = {"step": options.step, "salt": options.salt, "script": options.script}
    for name in options.outputs:
        path = folder / name
        path.write_bytes(output(table, name, data))
        yield Draft(name, "text/plain", path)
