"""How workers share the tests: files that use one server stay on one worker, and the longest begin first."""

from typing import Any

from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]  # it has no py.typed

#: Folders whose tests share a stack, a cloud or a loaded gcloud: on several workers, each worker would start its own.
TOGETHER = (
    "tests/deploy/",
    "tests/console/",
    "tests/examples/",
    "tests/localcloud/storage/",
    "tests/localcloud/pubsub/",
    "tests/localcloud/tasks/",
    "tests/contract/",
    "tests/unit/sandbox/",
)
#: What takes longest, in this order. Begun last, one of them would keep one worker busy while the others have ended.
FIRST = (
    "tests/deploy/",
    "tests/e2e/test_folders.py",
    "tests/e2e/test_operations.py",
    "tests/docs/test_howtos.py",
    "tests/e2e/test_hostile.py",
    "tests/console/",
    "tests/localcloud/storage/",
    "tests/localcloud/pubsub/",
    "tests/e2e/",
    "tests/examples/",
    "tests/unit/sandbox/",
    "tests/local/",
    "tests/localcloud/",
    "tests/proof/",
    "tests/functions/",
    "tests/contract/",
    "tests/unit/media/",
    "tests/unit/image/",
)


def unit(nodeid: str) -> str:
    """The tests of this name go to the same worker: a folder or a file."""
    return next((folder for folder in TOGETHER if nodeid.startswith(folder)), nodeid.partition("::")[0])


def rank(nodeid: str) -> int:
    """When a test begins: in the order of `FIRST`, then all others."""
    return next((number for number, part in enumerate(FIRST) if nodeid.startswith(part)), len(FIRST))


class Scheduler(LoadScopeScheduling):  # type: ignore[misc]  # see above
    """Gives each worker one unit after another, in the order of the tests."""

    def __init__(self, config: Any, log: Any) -> None:
        config.option.loadscopereorder = False  # the order is `rank`'s
        super().__init__(config, log)

    def _split_scope(self, nodeid: str) -> str:
        return unit(nodeid)
