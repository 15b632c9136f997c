"""Options of the last up, kept in the build bucket: later commands use them, a given one changes them."""

from dataclasses import dataclass

import pytest

from tests.deploy.project import HOME, PLACE, UPLOADS, Deployed, Project, Run
from tests.deploy.stub.apis import objects
from tests.deploy.stub.world import PROJECT

OPTIONS = f"buckets/{PROJECT}-sluice-build/o/options.env"
NOTIFY, OPERATOR = "me@example.com", "user:ann@example.com"
GIVEN = ["--notify", NOTIFY, "--operators", OPERATOR, "--origins", "https://app.example", "--allow-unauthenticated"]
LISTED = (
    "Options kept since the last up, and changes of them:\n  --allow-unauthenticated issuer,upload\n"
    f"  --origins https://app.example\n  --notify {NOTIFY}\n  --operators {OPERATOR}\n"
)


@dataclass(frozen=True)
class Kept:
    """`up` with options, `up` without any, then what else was run without them."""

    given: Run
    again: Run
    status: Run
    shorter: Run
    refused: Run


@pytest.fixture(scope="module")
def kept(project: Project, deployed: Deployed) -> Kept:
    project.bring_back(deployed.kept)
    given, again = project.run("up", *GIVEN), project.run("up")
    return Kept(
        given,
        again,
        project.run("status"),
        project.run("plan", "--keep-uploads-days", "30", "--notify="),
        project.run("up", "--operators", "group:ops@example.com"),
    )


@pytest.mark.long
def test_the_first_up_keeps_its_options_where_only_those_who_deploy_may_write(kept: Kept, deployed: Deployed) -> None:
    bucket = kept.given.state["policies"][OPTIONS.partition("/o/")[0]]["bindings"]
    ours = {binding["role"] for binding in bucket if any("sluice-" in member for member in binding["members"])}

    assert kept.given.status == 0, kept.given.complaints
    assert deployed.first.state["resources"][OPTIONS]["name"] == "options.env"
    assert ours <= {"roles/storage.objectViewer"}


@pytest.mark.long
def test_an_up_without_options_changes_nothing_and_names_what_it_kept(kept: Kept) -> None:
    assert (kept.again.status, kept.again.mutations) == (0, []), kept.again.complaints
    assert kept.again.printed.startswith(f"{LISTED}0 changes: everything is as it should be.\n")


@pytest.mark.long
def test_status_lists_the_options(kept: Kept) -> None:
    assert LISTED in kept.status.printed
    assert "\nup would change nothing." in kept.status.printed


@pytest.mark.long
def test_plan_shows_a_change_of_an_option_beside_its_commands(kept: Kept) -> None:
    assert f"  --notify: {NOTIFY} → nothing\n" in kept.shorter.printed
    assert "  --keep-uploads-days: 0 → 30\n" in kept.shorter.printed
    assert f"  --operators {OPERATOR}\n" in kept.shorter.printed
    words = [line.split()[1:4] for line in kept.shorter.commands]
    assert ["storage", "buckets", "update"] in words
    assert next(word[:2] for word in words if word[1] == "cp") == ["storage", "cp"]
    assert not any("remove-iam-policy-binding" in line for line in kept.shorter.commands)


@pytest.mark.long
def test_an_up_that_would_take_access_away_from_people_needs_a_yes(kept: Kept) -> None:
    assert (kept.refused.status, kept.refused.mutations) == (1, [])
    assert f"--operators takes access away from {OPERATOR}.\nSay --yes too" in kept.refused.complaints


def test_options_that_cannot_be_read_stop_everything(project: Project, deployed: Deployed) -> None:
    """Else `up` would set all of them to their defaults."""
    project.bring_back(deployed.kept)
    project.stub.drift(UPLOADS, {"iamConfiguration": {"publicAccessPrevention": "inherited"}})
    project.stub.fault(r"GET storage.*options\.env", code=403, n=9, message="denied")
    done = project.run("up")

    assert (done.status, done.mutations, done.printed) == (2, [], "")
    assert "the state cannot be read; nothing was changed" in done.complaints
    assert f"gcloud storage cat gs://{PROJECT}-sluice-build/options.env" in done.complaints


def test_an_option_of_another_release_is_named_and_left_out(project: Project, deployed: Deployed) -> None:
    project.bring_back(deployed.kept)
    content = b"# Options\nCOLOUR=red\nREGION=us-central1\n"
    objects.store(project.stub.world, f"{PROJECT}-sluice-build", {"name": "options.env"}, content)
    done = project.run("env")

    assert (done.status, "export SLUICE_LOCATION=us-central1\n" in done.printed) == (0, True)
    assert done.complaints == "note: the last up had the option --colour, which this release does not have\n"


def test_an_option_that_a_service_refuses_is_refused_before_the_state_is_read(project: Project, deployed: Deployed) -> None:
    project.bring_back(deployed.kept)
    done = project.run("up", "--url-seconds", "700000")

    assert (done.status, done.mutations) == (1, [])
    assert done.complaints.startswith("error: --url-seconds is 700000; Cloud Storage allows at most 604800 (sluice-")
    assert not any(f"{HOME}/topics" in line["path"] or PLACE in line["path"] for line in done.requests)
