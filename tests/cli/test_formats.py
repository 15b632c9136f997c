"""Each command in each format, and its exit codes: data on stdout, notes and errors on stderr."""

import json
from fnmatch import fnmatch

import click
import pytest

from cli.output import FORMATS
from cli.program import sluice as group
from shared import pipeline
from shared.testing import FakeCloud
from shared.testing_queues import FakeSubscription, FakeTopic
from tests.cli.conftest import Send, Sluice, Work

#: The id of a backfill that has lost its page.
BACKFILL = "20260101T000000-0badcafe"
#: By command: arguments, and the names that it prints. One is deleted, `bad.png` failed, `new.png` is in work, a letter is dead,
#: and the runaway guard skipped some of `cat.png`, on another day.
COMMANDS: dict[str, tuple[list[str], list[str]]] = {
    "ls": (["ls"], ["new.png", "gone.png", "bad.png", "good.png"]),
    "show": (["show", "good.png"], ["gs://results/files/good.png/*/thumbnails-*/64.webp"]),
    "explain": (["explain", "other.png"], ["thumbnails"]),
    "rerun": (["rerun", "bad.png"], ["bad.png"]),
    "rerun --yes": (["rerun", "good.png", "--yes"], ["*-r1"]),
    "reprocess": (["reprocess"], []),
    "backfill begin": (["backfill", "begin", "--all"], ["new.png"]),
    "backfill ls": (["backfill", "ls"], [BACKFILL]),
    "backfill stop": (["backfill", "stop", BACKFILL], [BACKFILL]),
    "backfill resume": (["backfill", "resume", BACKFILL], [BACKFILL]),
    "cancel": (["cancel", "new.png"], ["new.png"]),
    "tail": (["tail", "--limit", "1"], ["new.png"]),
    "sweep": (["sweep"], ["queued", "waiting", "recent", "paused", "ended", "unavailable"]),
    "guard ls": (["guard", "ls"], ["cat.png"]),
    "guard lift": (["guard", "lift"], ["cat.png"]),
    "queues": (["queues"], ["images", "slow"]),
    "pause": (["pause", "slow"], ["slow"]),
    "resume": (["resume", "--all"], ["images", "slow"]),
    "dead-letters ls": (["dead-letters", "ls"], ["1"]),
    "dead-letters show": (["dead-letters", "show", "1"], ["1"]),
    "dead-letters replay": (["dead-letters", "replay", "--all"], ["1"]),
    "webhooks ls": (["webhooks", "ls"], ["orders", "audit"]),
    "webhooks test": (["webhooks", "test", "orders"], ["test-*"]),
    "webhooks resume": (["webhooks", "resume", "audit"], ["audit"]),
    "cost": (["cost", "--name", "*.png"], ["thumbnails", "(tasks)", "(jobs)"]),
}
#: They answer about one thing: a JSON object, not an array.
DOCUMENTS = ("show", "explain", "reprocess", "backfill begin", "dead-letters show")


class Watched(FakeTopic):
    """A topic to which notices are published as soon as it has a subscription."""

    def __init__(self, work: Work) -> None:
        super().__init__()
        self._work = work

    def subscribe(self) -> FakeSubscription:
        made = super().subscribe()
        self._work()
        return made


@pytest.fixture(autouse=True)
def files(cloud: FakeCloud, send: Send, work: Work, picture: bytes) -> None:
    send("good.png", picture)
    send("bad.png", b"no picture")
    send("gone.png", b"no picture")
    work()
    del cloud.uploads.versions["gone.png"]
    send("new.png", picture)
    pipeline.dispatch({"message": "unreadable"}, cloud)
    cloud.results.create("guard/1/its-id", "application/json", b'{"object":"cat.png","count":9,"ceiling":8}')
    begun = {"backfill": BACKFILL, "prefix": "old/", "limit": 0, "began": 0}
    cloud.results.create(f"backfills/begun/{BACKFILL}", "application/json", json.dumps(begun).encode())
    cloud.completions = Watched(work)


@pytest.mark.parametrize("command", COMMANDS)
def test_names_are_lines(sluice: Sluice, command: str) -> None:
    arguments, names = COMMANDS[command]

    done = sluice(*arguments, "--format", "name", "--quiet")

    assert (done.code, done.err) == (0, "")
    assert len(done.lines) == len(names)
    assert all(map(fnmatch, done.lines, names)), done.lines


@pytest.mark.parametrize("command", COMMANDS)
def test_json_is_one_value_and_its_lines_are_the_same(sluice: Sluice, command: str, cloud: FakeCloud) -> None:
    arguments, names = COMMANDS[command]

    whole = sluice(*arguments, "--format", "json", "--quiet")

    value = json.loads(whole.out)
    assert (whole.code, whole.err) == (0, "")
    assert isinstance(value, dict) if command in DOCUMENTS else len(value) == len(names)


@pytest.mark.parametrize("command", COMMANDS)
def test_ndjson_is_a_line_for_each_row(sluice: Sluice, command: str) -> None:
    arguments, names = COMMANDS[command]

    done = sluice(*arguments, "--format", "ndjson", "--quiet")

    rows = [json.loads(line) for line in done.lines]
    assert (done.code, done.err, len(rows)) == (0, "", 1 if command in DOCUMENTS else len(names))
    assert all(isinstance(row, dict) for row in rows)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_table_is_the_default_and_has_no_colours_in_a_file(sluice: Sluice, command: str) -> None:
    arguments, names = COMMANDS[command]

    done = sluice(*arguments)

    assert done.code == 0
    assert "\x1b" not in done.out
    if command not in DOCUMENTS:
        header, *rows = done.lines
        assert header == header.upper()
        assert len(rows) == len(names)


def test_every_command_is_in_this_table() -> None:
    every = {
        f"{name} {inner}".strip()
        for name, command in group.commands.items()
        for inner in (command.commands if isinstance(command, click.Group) else [""])
    }

    assert every == {name.partition(" --")[0] for name in COMMANDS}
    assert FORMATS == ("table", "json", "ndjson", "name")


@pytest.mark.parametrize(
    ("code", "arguments"),
    [
        (1, ["rerun", "new.png", "--yes"]),  # still in work
        (1, ["rerun", "good.png", "gone.png"]),
        (1, ["rerun", "--verdict", "failed", "--yes"]),
        (1, ["cancel", "good.png"]),
        (1, ["dead-letters", "replay", "1", "99"]),
    ],
)
def test_some_did_not_succeed(sluice: Sluice, code: int, arguments: list[str]) -> None:
    done = sluice(*arguments)

    assert done.code == code
    assert done.out


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["fly"], "No such command 'fly'"),
        (["ls", "--format", "xml"], "'xml' is not one of"),
        (["ls", "--since", "soon"], "'soon' is no time; write 90m, 2h, 3d, 2026-11-28 or 2026-11-28T10:30"),
        (["ls", "--verdict", "lost"], "'lost' is none of succeeded, failed,"),
        (["ls", "--limit", "0"], "0 is not in the range"),
        (["ls", "--page-token", "x"], "page token 'x'"),
        (["show"], "Missing argument 'NAME'"),
        (["explain", "a", "--metadata", "x"], "--metadata takes KEY=VALUE, not 'x'"),
        (["rerun"], "name the files, or choose them by --verdict"),
        (
            ["rerun", "a", "--verdict", "failed"],
            "either name the files, or choose them by --verdict, --reason, --since or --name,",
        ),
        (["ls", "--verdict"], "Option '--verdict' requires an argument; see ./sluice ls --help"),
        (["--debug", "dead-letters", "show", "--format"], "see ./sluice dead-letters show --help"),
        (["rerun", "a", "--plan", "tomorrow"], "'tomorrow' is not one of"),
        (["cancel"], "Missing argument"),
        (["pause"], "name the queues, or give --all"),
        (["resume", "slow", "--all"], "name the queues, or give --all"),
        (["tail", "--format", "json"], "--format json needs --limit"),
        (["dead-letters", "replay"], "give the ids of dead letters, or --all"),
    ],
)
def test_a_wrong_use_is_one_sentence(sluice: Sluice, arguments: list[str], error: str) -> None:
    done = sluice(*arguments)

    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert done.err.startswith("error: ")
    assert error in done.err


@pytest.mark.parametrize(
    "arguments",
    [
        ["show", "never.png"],
        ["rerun", "never.png", "--quiet"],
        ["cancel", "never.png"],
        ["pause", "never"],
        ["resume", "never"],
        ["dead-letters", "show", "99"],
        ["dead-letters", "replay", "99"],
        ["dead-letters", "replay", "99", "--quiet"],
    ],
)
def test_what_is_missing_is_not_found(sluice: Sluice, arguments: list[str]) -> None:
    assert sluice(*arguments).code == 3


@pytest.mark.parametrize(
    ("arguments", "note"), [(["ls", "--name", "never.png"], "no files found\n"), (["dead-letters", "ls"], "no dead letters\n")]
)
def test_an_empty_list_says_so_on_stderr(sluice: Sluice, cloud: FakeCloud, arguments: list[str], note: str) -> None:
    cloud.dead_letters.notices.clear()

    done = sluice(*arguments)

    assert (done.code, done.out, done.err) == (0, "", note)


@pytest.mark.parametrize("command", COMMANDS)
def test_an_outage_is_one_sentence(sluice: Sluice, command: str, cloud: FakeCloud) -> None:
    cloud.uploads.broken = cloud.results.broken = {"find", "read", "names", "page", "create"}
    cloud.queue.broken = cloud.completions.broken = cloud.dead_letters.broken = True

    done = sluice(*COMMANDS[command][0])

    assert (done.code, done.out) == (4, "")
    assert done.err.splitlines()[-1].startswith("error: ")
    assert "unavailable" in done.err


def test_an_interrupt_has_its_own_code(sluice: Sluice, cloud: FakeCloud, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    cloud.completions = Watched(interrupted)

    done = sluice("tail")

    assert (done.code, done.out) == (130, "")
    assert done.err.strip() == "interrupted"


def test_an_unexpected_failure_is_one_sentence_unless_debugged(sluice: Sluice, cloud: FakeCloud) -> None:
    del cloud.results

    done = sluice("ls")

    assert (done.code, done.err.count("\n")) == (1, 1)
    assert "unexpected failure: AttributeError" in done.err
    with pytest.raises(AttributeError):
        sluice("--debug", "ls")


def test_a_shown_file_ends_with_its_findings(sluice: Sluice, cloud: FakeCloud) -> None:
    (name,) = [one for one in cloud.results.names("jobs/") if b'"good.png"' in (cloud.results.read(one) or b"")]
    manifest = json.loads(cloud.results.read(name) or b"")
    manifest["steps"][0]["facts"] = {"format": "pdf", "title": "Alice\x1b[2J", "pages": 3}
    cloud.results.put(name, json.dumps(manifest).encode(), "application/json")

    assert sluice("show", "good.png").lines[-5:] == [
        "",
        "  document",
        "    title   Alice\\x1b[2J",
        "    format  PDF",
        "    pages   3",
    ]
