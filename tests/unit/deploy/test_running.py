"""Running: a plan prints its steps and commands in order, wrapped for a reader, and counts them."""

import io
import re
import subprocess

import pytest

from deploy import gcloud, running
from deploy.errors import Failed
from deploy.running import Runner, harmless


def test_a_plan_prints_titles_above_the_first_command_of_a_step() -> None:
    output = io.StringIO()
    runner = Runner(None, output)
    runner.step("Nothing to do")
    runner.step("Topics")
    runner.start([["pubsub", "topics", "create", "a"], ["pubsub", "topics", "create", "b"]])
    runner.wait()

    assert output.getvalue() == "\n# Topics\ngcloud pubsub topics create a\ngcloud pubsub topics create b\n"
    assert runner.count == 2


def test_a_plan_gives_a_name_to_what_a_command_would_print() -> None:
    runner = Runner(None, io.StringIO())

    assert runner.ask(["builds", "submit"], "DIGEST-OF-TAG") == "DIGEST-OF-TAG"


def test_a_command_is_shown_as_a_shell_takes_it() -> None:
    assert (
        gcloud.shown(["a", "--name=Sluice push", "--format=value(name)"])
        == "gcloud a '--name=Sluice push' '--format=value(name)'"
    )


def test_a_long_command_is_shown_on_several_lines() -> None:
    shown = gcloud.shown(["run", *(f"--flag-number-{number}=value" for number in range(20))])

    assert all(len(line) <= gcloud.LINE + 10 for line in shown.splitlines())
    assert shown.replace(" \\\n    ", " ").count("--flag") == 20


def refused(command: list[str], error: str) -> bool:
    return not harmless(command, subprocess.CompletedProcess(command, 1, "", error))


def test_three_errors_leave_things_as_they_should_be() -> None:
    delete = ["beta", "monitoring", "channels", "delete", "channels/1"]

    assert not refused(["pubsub", "topics", "create", "a"], "ALREADY_EXISTS: Resource already exists")
    assert not refused(delete, "the channel is still being referenced by policies")
    gone = "ERROR: Policy binding with the specified principal, role, and condition not found!"
    assert not refused(["run", "services", "remove-iam-policy-binding", "a"], gone)
    assert refused(["run", "services", "add-iam-policy-binding", "a"], gone)
    assert refused(["pubsub", "topics", "delete", "a"], "it already exists")
    assert refused(["pubsub", "topics", "create", "a"], "still being referenced")


#: As Google's APIs spell the two constraints.
NOT_ADMITTED = [
    "ERROR: (gcloud.run.services.add-iam-policy-binding) FAILED_PRECONDITION: One or more users named in the policy do not belong "
    "to a permitted customer, perhaps due to an organization policy.",
    "ERROR: (gcloud.run.services.add-iam-policy-binding) FAILED_PRECONDITION: Operation denied by org policy on resource: "
    '["constraints/iam.managed.allowedPolicyMembers": "This constraint restricts IAM grants."].',
]
GRANT = ["run", "services", "add-iam-policy-binding", "sluice-upload", "--role=roles/run.invoker"]


@pytest.mark.parametrize("error", NOT_ADMITTED)
def test_a_grant_that_an_organisation_refuses_is_known_by_either_constraint(error: str) -> None:
    assert re.search(running.NOT_ADMITTED, error)
    assert not running.is_transient(error)


def test_what_an_organisation_refused_is_explained_at_the_end() -> None:
    running.explain([], [])
    with pytest.raises(Failed, match=r"sluice-upload[^$]+--no-invoker-iam-check[^$]+run up again"):
        running.explain([[*GRANT, "--member=allUsers"]], [])
    with pytest.raises(Failed) as refused:
        running.explain([[*GRANT, "--member=user:ann@elsewhere.test"]], ["no budget"])
    assert "--no-invoker-iam-check" not in str(refused.value)
    assert str(refused.value).endswith("\nno budget")
