"""`deploy.sh env`: its lines give a shell the settings of the services, and nothing of the local cloud."""

import subprocess

import pytest

from tests.deploy.project import SERVICES, Deployed, Project, Run, url
from tests.deploy.stub.world import PROJECT
from tests.deploy.test_up import variables

#: Of a service, but not of the command line: its own function and its own signer.
OF_SERVICES = {"FUNCTION_TARGET", "FUNCTION_SOURCE", "THREADS", "SLUICE_SIGNER", "SLUICE_READER", "SLUICE_POOL"}


@pytest.fixture(scope="module")
def printed(project: Project, deployed: Deployed) -> Run:
    project.bring_back(deployed.kept)
    return project.run("env", "--project", PROJECT)


def test_the_variables_are_those_of_the_services(printed: Run, deployed: Deployed) -> None:
    shell = f"{printed.printed}\nenv --null"
    done = subprocess.run(["sh", "-c", shell], env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True, check=True)
    exported = dict(line.split("=", 1) for line in done.stdout.split("\0") if line)

    service = variables(deployed.first.state["resources"][f"{SERVICES}status"])
    assert (printed.status, printed.complaints) == (0, "")
    assert {name: exported.get(name) for name in service.keys() - OF_SERVICES} == {
        name: value for name, value in service.items() if name not in OF_SERVICES
    }


def test_the_consoles_address_is_there(printed: Run) -> None:
    assert f"export SLUICE_CONSOLE_URL={url('console')}\n" in printed.printed


def test_a_shell_of_the_local_cloud_is_pointed_away_from_it(printed: Run) -> None:
    local = {"STORAGE_EMULATOR_HOST": "http://localhost:1", "SLUICE_TASKS_ENDPOINT": "http://localhost:2"}
    shell = f"{printed.printed}\necho $STORAGE_EMULATOR_HOST $SLUICE_TASKS_ENDPOINT"
    done = subprocess.run(
        ["sh", "-c", shell], env={"PATH": "/usr/bin:/bin", **local}, capture_output=True, text=True, check=True
    )

    assert done.stdout == "\n"


def test_nothing_is_looked_up_but_the_project_and_the_options(printed: Run) -> None:
    options = f"/storage/v1/b/{PROJECT}-sluice-build/o/options.env"

    assert printed.mutations == []
    assert {request["path"] for request in printed.requests} == {f"/v1/projects/{PROJECT}", options, f"/download{options}"}
