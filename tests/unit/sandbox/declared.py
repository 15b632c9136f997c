"""The hostile processor in this process: declared while a test needs it, as other tests look at all processors."""

from collections.abc import Iterator
from contextlib import contextmanager

from shared.processors.registry import registered
from tests.unit.sandbox import hostile

_HOSTILE = registered.pop(hostile.NAME)


@contextmanager
def declared() -> Iterator[None]:
    """Declare it for the block."""
    registered[hostile.NAME] = _HOSTILE
    try:
        yield
    finally:
        del registered[hostile.NAME]
