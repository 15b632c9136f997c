"""The scripted processor, for the steps of `tests/unit/plans.py`."""

from collections.abc import Iterator

import pytest

from shared.processors.registry import Processor, registered
from tests.unit.plans import SCRIPTED, Script, ScriptedOptions


@pytest.fixture
def script() -> Iterator[Script]:
    """The script of the steps' behaviour, under which they run during this test."""
    script = Script()
    registered[SCRIPTED] = Processor(SCRIPTED, 1, ScriptedOptions, script.work)
    yield script
    del registered[SCRIPTED]
