"""Replaces attributes for a while: the clock, and what a mutant changes.

Mutants are the one reason why anything is replaced in these tests: they plant a bug in the code under test.
"""

import contextlib
from collections.abc import Iterator
from typing import Any


@contextlib.contextmanager
def swapped(owner: Any, name: str, value: Any) -> Iterator[None]:
    """Give an attribute of a module or class another value until the block ends."""
    former = vars(owner)[name]  # not getattr: it would unwrap a static method
    setattr(owner, name, value)
    try:
        yield
    finally:
        setattr(owner, name, former)
