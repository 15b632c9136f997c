"""The service as a whole: its list of operations, its end, its memory."""

import asyncio
import logging
from pathlib import Path

import pytest

from localcloud.accounts import MOST_TOKENS, Accounts
from localcloud.clock import TurnedClock
from localcloud.tasks import Tasks, operations
from tests.localcloud.asgi import call

CREATE = ("POST", "/v2/projects/local-project/locations/us-central1/queues")


def test_a_request_after_the_end_is_refused_without_a_traceback(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    clock = TurnedClock()
    tasks = Tasks(tmp_path / "tasks", clock, Accounts(tmp_path / "keys", "local-project", "http://issuer", clock))

    async def late() -> tuple[int, bytes]:
        await tasks.start()
        await tasks.stop()
        return await call(tasks.app, *CREATE, b"{}")

    with caplog.at_level(logging.DEBUG):
        assert asyncio.run(late())[0] == 503
    assert "Traceback" not in caplog.text


def test_unsupported_operations_are_not_listed() -> None:
    assert {"tasks.create", "tasks.run", "queues.pause", "queues.setIamPolicy"} <= set(operations())
    assert "tasks.batchCreate" not in operations()


def test_the_cache_of_tokens_is_bounded(tmp_path: Path) -> None:
    clock = TurnedClock()
    accounts = Accounts(tmp_path, "local-project", "http://issuer", clock)
    oldest, *_, newest = [accounts.id_token("a@b.c", str(number)) for number in range(MOST_TOKENS + 1)]

    asyncio.run(clock.turn(1))

    assert accounts.id_token("a@b.c", str(MOST_TOKENS)) == newest
    assert accounts.id_token("a@b.c", "0") != oldest
