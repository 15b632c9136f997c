"""The hostile processors, declared while a test needs them: other tests look at all processors."""

from collections.abc import Iterator
from contextlib import contextmanager

from shared.processors.registry import registered
from tests.unit.sandbox import hostile, starter

_HOSTILE = {name: registered.pop(name) for name in (hostile.NAME, starter.NAME)}


@contextmanager
def declared() -> Iterator[None]:
    """Declare them for the block."""
    registered.update(_HOSTILE)
    try:
        yield
    finally:
        for name in _HOSTILE:
            del registered[name]
