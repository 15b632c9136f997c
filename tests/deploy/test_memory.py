"""The memory of gcloud's reads gives what gcloud would print, and asks the stub what gcloud would ask."""

import subprocess

import pytest

from shared.settings import ROOT
from tests.deploy.project import HOME, Deployed, Project, Run
from tests.deploy.stub.wire import Json

TOPICS = ["pubsub", "topics", "list", "--format=value(name)"]
POLICY = ["pubsub", "topics", "get-iam-policy", "t", "--format=value(bindings.members.flatten())"]


@pytest.fixture
def topic(project: Project) -> Project:
    """The project with one topic, `t`, and nothing that other tests left."""
    project.empty()
    project.stub.enable("pubsub")
    project.stub.drift(f"{HOME}/topics/t", {"name": f"{HOME}/topics/t"})
    return project


def gcloud(project: Project, *words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(["gcloud", *words], env=project.environment, cwd=ROOT, capture_output=True, text=True, check=False)


def asked(project: Project) -> list[Json]:
    return [
        {key: line[key] for key in ("method", "host", "path", "query", "body", "status")} for line in project.stub.requests()
    ]


def test_a_read_is_repeated_without_gcloud_with_the_same_output_and_requests(topic: Project) -> None:
    first, once = gcloud(topic, *TOPICS), asked(topic)
    saved = topic.memory.saved
    second, twice = gcloud(topic, *TOPICS), asked(topic)

    assert (first.returncode, first.stdout, first.stderr) == (0, f"{HOME}/topics/t\n", "")
    assert (second.returncode, second.stdout, second.stderr) == (0, first.stdout, first.stderr)
    assert len(once) == 1
    assert twice == once * 2
    assert topic.memory.saved == saved + 1


def test_what_has_changed_is_read_again(topic: Project) -> None:
    before = [gcloud(topic, *words).stdout for words in (TOPICS, POLICY)]
    topic.stub.drift(f"{HOME}/topics/u", {"name": f"{HOME}/topics/u"})
    topic.stub.drift_policy(f"{HOME}/topics/t", "add", "roles/pubsub.viewer", "user:ann@example.com")
    after = [gcloud(topic, *words).stdout for words in (TOPICS, POLICY)]

    assert before == [f"{HOME}/topics/t\n", "\n"]
    assert after == [f"{HOME}/topics/t\n{HOME}/topics/u\n", "user:ann@example.com\n"]


def test_what_is_brought_back_is_remembered(topic: Project) -> None:
    first = gcloud(topic, *TOPICS).stdout
    topic.stub.drift(f"{HOME}/topics/u", {"name": f"{HOME}/topics/u"})
    between = gcloud(topic, *TOPICS).stdout
    topic.stub.drift(f"{HOME}/topics/u", None)
    saved = topic.memory.saved
    again = gcloud(topic, *TOPICS).stdout

    assert (first, between, again) == (f"{HOME}/topics/t\n", f"{HOME}/topics/t\n{HOME}/topics/u\n", f"{HOME}/topics/t\n")
    assert topic.memory.saved == saved + 1


def test_other_words_are_another_command(topic: Project) -> None:
    names = [gcloud(topic, *TOPICS[:-1], f"--format=value({shown})").stdout for shown in ("name", "name.basename()")]

    assert names == [f"{HOME}/topics/t\n", "t\n"]


def test_an_injected_fault_meets_a_command_that_is_remembered(topic: Project) -> None:
    gcloud(topic, *TOPICS)
    topic.stub.fault("GET .*/topics", code=403, message="denied today")
    refused, later = gcloud(topic, *TOPICS), gcloud(topic, *TOPICS)

    assert (refused.returncode, "denied today" in refused.stderr) == (1, True)
    assert (later.returncode, later.stdout) == (0, f"{HOME}/topics/t\n")


def test_a_refusal_is_not_remembered(topic: Project) -> None:
    topic.stub.world.apis.discard("pubsub.googleapis.com")
    saved = topic.memory.saved
    refused = [gcloud(topic, *TOPICS).returncode for _ in range(2)]

    assert refused == [1, 1]
    assert topic.memory.saved == saved


def test_a_change_is_made_each_time(topic: Project) -> None:
    change = ["pubsub", "topics", "add-iam-policy-binding", "t", "--member=user:ann@example.com", "--role=roles/pubsub.viewer"]
    for _ in range(2):
        assert gcloud(topic, *change).returncode == 0

    assert len(topic.stub.mutations("setIamPolicy")) == 2


def test_a_run_from_memory_asks_all_that_gcloud_asks(project: Project, deployed: Deployed) -> None:
    project.bring_back(deployed.kept)
    again = project.run("up")

    assert (again.status, again.printed, again.complaints) == (0, deployed.second.printed, "")
    assert lines(again) == lines(deployed.second)


def lines(run: Run) -> list[str]:
    """The requests of a run, of which several were made side by side."""
    return sorted(f"{line['method']} {line['host']}{line['path']}?{line['query']}" for line in run.requests)
