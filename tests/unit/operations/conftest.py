"""A file in the uploads bucket, and its runs under plans made by hand."""

from collections.abc import Callable

import pytest

from shared.model import File
from shared.plan import Plan
from shared.testing import FakeCloud


class Fixed:
    """Routes that give every file this plan."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan

    def plan(self, _file: File) -> Plan:
        return self._plan

    def go_by_bytes(self, *_: object) -> bool:
        return False

    def why_not(self, *_: object) -> str:
        return "no route takes this file"


@pytest.fixture
def cat(uploaded: Callable[..., File]) -> File:
    return uploaded("cat.jpg", b"meow")


@pytest.fixture
def planned(cloud: FakeCloud) -> Callable[[Plan], None]:
    """Give every file this plan from now on."""

    def plan(plan: Plan) -> None:
        cloud.routes = Fixed(plan)  # type: ignore[assignment]

    return plan
