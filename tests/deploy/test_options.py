"""Options: wrong values are refused before gcloud is called; right ones show in a plan."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.options import NAMED
from shared.settings import ROOT
from tests.deploy.project import Project, Run, account


def said(*arguments: str, folder: Path = ROOT) -> tuple[int, str]:
    """Status and errors of a deploy.sh that needs no gcloud."""
    command = ["bash", str(folder / "deploy.sh"), *arguments]
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "DEPLOY_FOLDER": "/nonexistent"}
    done = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, check=False)
    return done.returncode, done.stderr


def test_help_explains_every_command_and_option() -> None:
    done = subprocess.run(["bash", "deploy.sh", "--help"], cwd=ROOT, capture_output=True, text=True, check=True)
    options = [name.replace("_", "-") for name in NAMED]

    assert [option for option in options if not re.search(rf"^  --{option}[ \[]", done.stdout, re.MULTILINE)] == []
    for word in ("plan", "up", "verify", "status", "doctor", "down"):
        assert word in done.stdout
    for word in ("--local", "--delete-data", "--yes", "--allow-unauthenticated"):
        assert word in done.stdout


WRONG: list[tuple[list[str], str]] = [
    ([], "which command?"),
    (["fly"], "which command?"),
    (["plan", "up"], "one command at a time"),
    (["plan", "--colour", "red"], "--colour is no option"),
    (["plan", "--region"], "--region takes a value"),
    (["plan", "--project", "X"], "--project is 'X'; it takes a project's id"),
    (["plan", "--project", "demo-project", "--prefix", "much-too-long-a-prefix"], "--prefix is"),
    (["plan", "--project", "demo-project", "--region", "moon"], "--region is 'moon'"),
    (["plan", "--project", "demo-project", "--queue-auth", "none"], "it takes queue or task"),
    (["plan", "--project", "demo-project", "--allow-unauthenticated=processor"], "no other service is for strangers"),
    (["plan", "--project", "demo-project", "--console-access", "loopback"], "it takes iap or invoker"),
    (["plan", "--project", "demo-project", "--console-viewers", "allUsers"], "it takes members such as group:staff@"),
    (["plan", "--project", "demo-project", "--console-viewers", "domain:example.com"], "--console-viewers is"),
    (["plan", "--project", "demo-project", "--console-operators", "group:ops@example.com"], "it takes e-mail addresses"),
    (["plan", "--project", "demo-project", "--origins", "https://app.example/"], "--origins is"),
    (["plan", "--project", "demo-project", "--origins", "https://App.example"], "it takes origins as browsers send them"),
    (["plan", "--project", "demo-project", "--origins", "https://a.example,https://b.example:443"], "--origins is"),
    (["plan", "--project", "demo-project", "--instances", "0"], "--instances is '0'; it takes a whole number above 0"),
    (
        ["plan", "--project", "demo-project", "--keep-notices-days", "32"],
        "it takes a number of days up to 31; 0 keeps none",
    ),
    (["plan", "--project", "demo-project", "--keep-results-days", "14"], "a sweep looks at the files of the last 14 days"),
    (["plan", "--project", "demo-project", "--sweep-minutes", "45"], "it takes 10, 15, 20, 30, 60, 120, 180, 240, 360, 480"),
    (["plan", "--project", "demo-project", "--notify", "me"], "it takes an e-mail address"),
    (
        ["plan", "--project", "demo-project", "--extras", "heic,raw"],
        "--extras is 'heic,raw'; it takes some of heic,media,svg",
    ),
    (["plan", "--project", "demo-project", "--processor-memory", "2Gi"], "--processor-memory is no option"),
    (
        ["plan", "--project", "demo-project", "--max-file-bytes", "99999999999"],
        "pipeline.toml: pools.default.memory: 4096Mi is too little",
    ),
    (["plan", "--env-file", "/nonexistent/file"], "cannot be read"),
]
#: Runs each command of deploy.sh that stdin has, in one process. One that is not refused has no list to read, and raises.
RUN_EACH = """
import contextlib, io, json, sys
from deploy.__main__ import main

for arguments in json.load(sys.stdin):
    sys.argv[1:] = arguments
    with contextlib.redirect_stderr(io.StringIO()) as errors:
        try:
            status = main()
        except Exception as error:
            status = repr(error)
    print(json.dumps([status, errors.getvalue()]))
"""


@pytest.fixture(scope="module")
def answers() -> list[tuple[int, str]]:
    """Status and errors of each command in `WRONG`."""
    environment = {"PATH": os.environ["PATH"], "DEPLOY_FOLDER": "/nonexistent"}
    asked = json.dumps([arguments for arguments, _ in WRONG])
    command = [sys.executable, "-c", RUN_EACH]
    done = subprocess.run(command, input=asked, env=environment, cwd=ROOT, capture_output=True, text=True, check=True)
    return [(status, errors) for status, errors in map(json.loads, done.stdout.splitlines())]


@pytest.mark.parametrize("number", range(len(WRONG)), ids=lambda number: " ".join(WRONG[number][0]))
def test_a_wrong_value_is_refused_and_right_ones_are_named(answers: list[tuple[int, str]], number: int) -> None:
    status, complaints = answers[number]

    assert status == 1
    assert WRONG[number][1] in complaints


def test_a_wrong_value_ends_deploy_sh_too() -> None:
    assert said("plan", "--project", "X") == (1, "error: --project is 'X'; it takes a project's id\n")


def test_an_env_file_is_read_not_run_and_flags_win(tmp_path: Path) -> None:
    file = tmp_path / "production.env"
    file.write_text(f"# production\nPROJECT=demo-project\nPREFIX=NO\nREGION=$(touch {tmp_path}/run)\n")

    assert "--prefix is 'NO'" in said("plan", "--env-file", str(file), "--region", "us-central1")[1]
    assert "--region is '$(touch" in said("plan", "--env-file", str(file), "--prefix", "yes")[1]
    assert not (tmp_path / "run").exists()


def test_an_env_file_is_looked_for_where_one_is(tmp_path: Path) -> None:
    (tmp_path / "production.env").write_text("PROJECT=X\n")
    command = ["bash", str(ROOT / "deploy.sh"), "plan", "--env-file", "production.env"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert "--project is 'X'" in done.stderr


@pytest.mark.parametrize(
    ("project", "gcloud", "complaint"),
    [
        ("", "", "gcloud is not installed"),
        ("demo-project", "", "gcloud is not installed"),
        ("", "exit 1", "which project? --project ID"),
        ("", "exit 0", "which project? --project ID"),
    ],
)
def test_a_missing_gcloud_or_project_is_named(tmp_path: Path, project: str, gcloud: str, complaint: str) -> None:
    for name in ("bash", "dirname"):
        (tmp_path / name).symlink_to(shutil.which(name) or "")
    for name, script in {"python3": f'exec {sys.executable} "$@"', "gcloud": gcloud}.items():
        if script:
            (tmp_path / name).write_text(f"#!/bin/bash\n{script}\n")
            (tmp_path / name).chmod(0o755)
    environment = {"PATH": str(tmp_path), "CLOUDSDK_CORE_PROJECT": project}
    done = subprocess.run(["bash", "deploy.sh", "plan"], env=environment, cwd=ROOT, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr.startswith(f"error: {complaint}")) == (1, True), done.stderr


#: Answers what `env` asks for.
GCLOUD = """#!/bin/sh
case "$*" in
  *options.env*) echo "The following URLs matched no objects or files" >&2; exit 1 ;;
  *) echo '{"projectNumber": "1"}' ;;
esac
"""


@pytest.mark.parametrize("arguments", [["--help"], ["env", "--project", "demo-project"]])
def test_a_reader_that_has_seen_enough_ends_it_without_a_stack_trace(tmp_path: Path, arguments: list[str]) -> None:
    """Such as `./deploy.sh --help | head`. Without PYTHONUNBUFFERED, Python writes a short text at its end."""
    (tmp_path / "gcloud").write_text(GCLOUD)
    (tmp_path / "gcloud").chmod(0o755)
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "HOME": str(tmp_path), "DEPLOY_FOLDER": str(tmp_path)}
    command = ["bash", "deploy.sh", *arguments]
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(command, env=environment, cwd=ROOT, stdout=writer, stderr=subprocess.PIPE, check=False)
    os.close(writer)

    assert (done.returncode, done.stderr) == (1, b"")


def test_a_link_to_the_script_starts_it_too(tmp_path: Path) -> None:
    (tmp_path / "sluice").symlink_to(ROOT / "deploy.sh")
    done = subprocess.run([tmp_path / "sluice", "--help"], cwd=tmp_path, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Usage: ./deploy.sh ")


def test_the_path_of_python_may_be_relative(tmp_path: Path) -> None:
    (tmp_path / "python").symlink_to(sys.executable)
    environment = {"PATH": os.environ["PATH"], "PYTHON": "./python"}
    command = ["bash", str(ROOT / "deploy.sh"), "--help"]
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")


def test_an_older_python_is_refused(tmp_path: Path) -> None:
    old = tmp_path / "python3"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    environment = {"PATH": os.environ["PATH"], "PYTHON": str(old)}
    done = subprocess.run(["bash", "deploy.sh", "plan"], env=environment, cwd=ROOT, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr.startswith("error: Python 3.11 or newer is missing")) == (1, True), done.stderr


def test_an_env_file_with_an_unknown_name_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "production.env"
    file.write_text("MEMORY=4Gi\n")

    assert "MEMORY=4Gi: write NAME=VALUE with an option's name" in said("plan", "--env-file", str(file))[1]


@pytest.fixture(scope="module")
def changed(project: Project) -> Run:
    """A plan with every option set."""
    project.empty()
    flags = ["--prefix=two", "--queue-auth=task", "--allow-unauthenticated", "--origins=https://a.example,https://b.example"]
    flags += ["--notify=me@example.com", "--keep-uploads-days=30", "--instances=9", "--extras=svg"]
    return project.run("plan", *flags)


def test_every_name_begins_with_the_prefix(changed: Run) -> None:
    assert changed.status == 0, changed.complaints
    assert "sluice-" not in changed.printed.replace("Sluice", "")
    assert "gcloud iam service-accounts create two-processor" in changed.printed


def test_with_queue_auth_task_whoever_enqueues_may_name_the_account_and_queues_do_not(changed: Run) -> None:
    two = account("tasks").replace("sluice-", "two-")
    named = [line for line in changed.commands if "roles/iam.serviceAccountUser" in line]

    assert all(f"add-iam-policy-binding {two} " in line for line in named)
    assert [
        re.findall(r"two-(upload|dispatcher|processor|processor-slow|console|sweeper|notifier)@", line) for line in named
    ] == [
        ["upload"],
        ["dispatcher"],
        ["processor"],
        ["processor-slow"],
        ["console"],
        ["sweeper"],
        ["notifier"],
    ]
    assert "oidc" not in " ".join(line for line in changed.commands if "tasks queues" in line)


def test_opening_the_doors_opens_issuer_and_upload_and_nothing_else(changed: Run) -> None:
    opened = [line for line in changed.commands if "--member=allUsers" in line]

    assert [line.split()[4] for line in opened] == ["two-upload", "two-issuer"]


def test_origins_may_put_to_signed_urls(changed: Run, project: Project) -> None:
    (rule,) = json.loads((project.stub.folder / "work" / "cors-uploads.json").read_text())

    assert rule["origin"] == ["https://a.example", "https://b.example", "http://127.0.0.1:8080", "http://localhost:8080"]
    assert {"PUT", "POST", "DELETE"} <= set(rule["method"])
    assert {
        "content-type",
        "content-range",
        "range",
        "location",
        "x-goog-content-length-range",
        "x-goog-if-generation-match",
        "x-goog-resumable",
    } <= set(rule["responseHeader"]), "what a page sends to the issuer's URLs, and reads of the answer"
    (reading,) = json.loads((project.stub.folder / "work" / "cors-results.json").read_text())
    assert (reading["origin"], reading["method"]) == (rule["origin"], ["GET", "HEAD"])
    assert len([line for line in changed.commands if "--cors-file=" in line]) == 2


def test_pages_of_these_origins_may_call_the_doors(changed: Run, project: Project) -> None:
    given = {
        path.stem.removeprefix("variables-")
        for path in (project.stub.folder / "work").glob("variables-*.yaml")
        if 'SLUICE_ORIGINS: "https://a.example,https://b.example"\n' in path.read_text()
    }

    assert given == {"upload", "issuer", "status"}


def test_the_secret_of_the_keys_has_the_prefix(changed: Run) -> None:
    (create,) = [line for line in changed.commands if "secrets create" in line]

    assert create.startswith("gcloud secrets create two-keys ")
    assert len([line for line in changed.commands if "--set-secrets=SLUICE_KEY_SECRET=two-keys:1" in line]) == 2


def test_alerts_go_to_the_address_of_notify(changed: Run, project: Project) -> None:
    alert = json.loads((project.stub.folder / "work" / "alert-dead-letters.json").read_text())

    assert alert["notificationChannels"] == ["CHANNEL-OF-me@example.com"]
    assert any("channels create" in line and "email_address=me@example.com" in line for line in changed.commands)


def test_instances_are_those_of_each_service_but_the_processors(changed: Run) -> None:
    deployed = [line for line in changed.commands if "run deploy two-" in line]
    instances = {line.split()[3]: re.findall(r"--max-instances=(\d+)", line) for line in deployed}

    assert instances == {
        **{f"two-{name}": ["9"] for name in ("upload", "dispatcher", "status", "notifier")},
        "two-issuer": ["5"],
        "two-processor": ["4"],
        "two-processor-slow": ["1"],
        "two-console": ["1"],
        "two-sweeper": ["1"],
    }


def test_more_than_a_new_project_has_is_named_and_not_refused(changed: Run) -> None:
    assert changed.complaints.startswith("note: all instances together take 52 vCPU and 40 GiB, a new project has only 20 vCPU")


def test_the_image_is_built_with_the_extras(changed: Run) -> None:
    (build,) = [line for line in changed.commands if "builds submit" in line]

    assert re.search(r"functions:[0-9a-f]{16};_EXTRAS=svg\b", build)


def test_uploads_are_deleted_when_they_are_old_enough(changed: Run, project: Project) -> None:
    rules = json.loads((project.stub.folder / "work" / "lifecycle-uploads.json").read_text())["rule"]

    assert [rule["condition"]["age"] for rule in rules if rule["action"]["type"] == "Delete"] == [30]


def test_a_wrong_pipeline_is_refused_with_every_fault_before_gcloud_is_called(project: Project, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    shutil.copytree(project.tree, tree)
    pipeline = tree / "pipeline.toml"
    text = pipeline.read_text().replace("attempts = 5\n", "", 1).replace('pool = "slow"', 'pool = "fast"')
    pipeline.write_text(text)

    status, complaints = said("plan", "--project", "demo-project", folder=tree)
    assert (status, complaints.startswith("error: pipeline.toml: queues.images.attempts: missing")) == (1, True), complaints
    assert "pipeline.toml: queues.digests.pool: 'fast' is not allowed; write one of default, slow" in complaints


def test_status_of_an_empty_project_says_what_is_missing(project: Project) -> None:
    project.empty()
    done = project.run("status")

    assert (done.status, done.mutations) == (0, [])
    assert "sluice-processor               missing" in done.printed
    assert "sluice-processor-slow          missing" in done.printed
    assert (
        "Size: all instances together take 20 vCPU and 24 GiB; a new project has 20 vCPU and 40 GiB in a region" in done.printed
    )
    assert "commands; plan shows them." in done.printed
