"""Plants a bug in the handlers for a while.

A mutant replaces some text of one function, in the same module, while its block lasts. This is the one place where code under test
is replaced: the bug must be in the handlers themselves, and a seam for it in `shared/` would be there for nothing else.
"""

import contextlib
import inspect
import sys
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from tests.proof.swaps import swapped


@dataclass(frozen=True)
class Edit:
    """Other text in the source of a function, which must have `old` exactly once. `owner` is its module or class."""

    owner: Any
    function: str
    old: str
    new: str


@dataclass(frozen=True)
class Mutant:
    """A bug. `why` is the sentence that a reader needs to see it as one.

    `shape` is the one whose crash points show it, where random runs would take long.
    """

    name: str
    why: str
    edits: tuple[Edit, ...]
    shape: str = ""

    @contextlib.contextmanager
    def planted(self) -> Iterator[None]:
        """Run the block with the bug in place."""
        with contextlib.ExitStack() as stack:
            for owner, function in dict.fromkeys((edit.owner, edit.function) for edit in self.edits):
                edits = [edit for edit in self.edits if (edit.owner, edit.function) == (owner, function)]
                stack.enter_context(swapped(owner, function, _edited(owner, function, edits)))
            yield


def mutant(name: str, why: str, *edits: tuple[Any, str, str, str], shape: str = "") -> Mutant:
    """A bug by its edits: owner, function, old text, new text."""
    return Mutant(name, why, tuple(Edit(*edit) for edit in edits), shape)


def _edited(owner: Any, function: str, edits: Sequence[Edit]) -> Any:
    found: Any = vars(owner)[function]
    plain: Any = found.fget if isinstance(found, property) else found
    text = textwrap.dedent(inspect.getsource(plain))
    for edit in edits:
        if text.count(edit.old) != 1:
            raise ValueError(f"{function} has {edit.old!r} {text.count(edit.old)} times; correct the mutant")
        text = text.replace(edit.old, edit.new)
    module = owner if inspect.ismodule(owner) else sys.modules[owner.__module__]
    namespace: dict[str, Any] = {}
    exec(text, vars(module), namespace)
    return namespace[function]
