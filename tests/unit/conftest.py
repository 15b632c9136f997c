"""The scripted processor, for the steps of `tests/unit/plans.py`; an authority for servers with TLS."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from shared.outside import clients
from shared.processors.registry import Processor, registered
from tests.unit.plans import SCRIPTED, Script, ScriptedOptions


@pytest.fixture
def script() -> Iterator[Script]:
    """The script of the steps' behaviour, under which they run during this test."""
    script = Script()
    registered[SCRIPTED] = Processor(SCRIPTED, 1, ScriptedOptions, script.work)
    yield script
    del registered[SCRIPTED]


@pytest.fixture
def authority(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[trustme.CA]:
    """An authority that this process trusts, in place of the system's."""
    made = trustme.CA()
    made.cert_pem.write_to_path(tmp_path / "authority.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    clients.trusted.cache_clear()
    yield made
    clients.trusted.cache_clear()
