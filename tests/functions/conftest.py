"""Callers with tokens of their own."""

from collections.abc import Callable

import pytest

from localcloud.accounts import Accounts
from shared.testing import FakeCloud


@pytest.fixture
def bearer(accounts: Accounts, cloud: FakeCloud) -> Callable[[str], dict[str, str]]:
    def sign(who: str) -> dict[str, str]:
        audience = cloud.settings.dispatcher_url if who == "push" else cloud.settings.processor_url(cloud.settings.pool)
        return {"authorization": f"Bearer {accounts.id_token(accounts.email(who), audience)}"}

    return sign
