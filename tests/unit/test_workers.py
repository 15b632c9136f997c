"""The tests' units and their order among workers."""

import pytest

from shared.settings import ROOT
from tests import workers


@pytest.mark.parametrize(
    ("nodeid", "unit"),
    [
        ("tests/console/test_uploads.py::test_a", "tests/console/"),
        ("tests/localcloud/pubsub/conformance/test_conformance_seek.py::test_a[x]", "tests/localcloud/pubsub/"),
        ("tests/localcloud/test_guard.py::test_a", "tests/localcloud/test_guard.py"),
        ("tests/unit/deploy/test_grants.py::Test::test_a", "tests/unit/deploy/test_grants.py"),
    ],
)
def test_a_folder_with_one_server_is_one_unit_and_else_a_file(nodeid: str, unit: str) -> None:
    assert workers.unit(nodeid) == unit


def test_the_longest_begin_first_and_what_is_not_named_last() -> None:
    names = [
        "tests/unit/test_web.py::t",
        "tests/localcloud/test_guard.py::t",
        "tests/localcloud/pubsub/test_a.py::t",
        "tests/deploy/t.py::t",
    ]

    assert sorted(names, key=workers.rank) == names[::-1]


@pytest.mark.parametrize("path", sorted({*workers.TOGETHER, *workers.FIRST}))
def test_a_named_folder_or_file_is_there(path: str) -> None:
    assert (ROOT / path).exists()
