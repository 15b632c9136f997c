"""The table of what is emulated says exactly what the routing tables do."""

import pytest

from localcloud import pubsub, storage, tasks
from tests.machine import ROOT

README = (ROOT / "localcloud" / "README.md").read_text()
SERVICES = {"Cloud Storage": storage.operations, "Pub/Sub": pubsub.operations, "Cloud Tasks": tasks.operations}


@pytest.mark.parametrize("service", SERVICES)
def test_every_operation_is_in_the_readme_and_no_other(service: str) -> None:
    listed = ", ".join(f"`{operation}`" for operation in sorted(SERVICES[service]()))

    assert f"| {service} | {listed} |" in README, f"in localcloud/README.md write: | {service} | {listed} |"
