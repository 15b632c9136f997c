"""Callers with tokens of their own, and the Upload Service under the real server."""

from collections.abc import Callable, Iterator

import pytest

from localcloud.accounts import Accounts
from shared.testing import FakeCloud
from tests.functions.serving import Server, serving


@pytest.fixture
def bearer(accounts: Accounts, cloud: FakeCloud) -> Callable[[str], dict[str, str]]:
    def sign(who: str) -> dict[str, str]:
        audience = cloud.settings.dispatcher_url if who == "push" else cloud.settings.processor_url(cloud.settings.pool)
        return {"authorization": f"Bearer {accounts.id_token(accounts.email(who), audience)}"}

    return sign


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The server of a file of tests."""
    with serving("upload", tmp_path_factory.mktemp("objects")) as server:
        yield server


@pytest.fixture
def server(running: Server) -> Server:
    """The server, with nothing stored."""
    running.forget()
    return running
