"""A child that reaches a limit is stopped, and the verdict names the limit. The next file is not affected."""

import json
import threading
import time
import traceback
from pathlib import Path

import pytest

from shared.errors import BadFile, ProcessorFailed
from shared.processors import Made
from shared.sandbox.outcome import Ran
from tests.eventually import eventually
from tests.unit.sandbox.conftest import Run

MIB = 1 << 20


def reason(ran: Ran) -> str:
    """The reason of the verdict, with the signal or status of a crash."""
    assert isinstance(ran.outcome, BadFile), ran.outcome
    crash = ran.outcome.message.removeprefix("its decoder ")
    return f"{ran.outcome.code}: {crash}" if ran.outcome.code == "decoder_crashed" else ran.outcome.code


def test_outputs_and_facts_come_out_of_the_sandbox(run: Run) -> None:
    ran = run("write hello")

    (draft,) = ran.made().drafts
    assert (draft.name, draft.content_type, draft.facts) == ("copy.txt", "text/plain", {"characters": 5})
    assert draft.path.read_text() == "hello"
    assert ran.made().facts.keys() == {"pid", "parent"}


def test_the_kernel_counts_what_a_step_took(run: Run) -> None:
    small, large = run("write hello"), run("allocate")

    assert 0 < small.cpu_seconds < 5
    assert 5 * MIB < small.peak_bytes < 60 * MIB
    assert large.peak_bytes > small.peak_bytes + 60 * MIB


@pytest.mark.failure("T27")
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("allocate", "limit_memory"),
        ("abort memory allocation of 549755813888 bytes failed", "limit_memory"),
        ("abort terminate called after throwing an instance of 'std::bad_alloc'", "limit_memory"),
        ("abort assertion failed", "decoder_crashed: crashed with SIGABRT"),
        ("grow one", "limit_output"),
        ("grow many", "limit_output"),
        ("grow files", "limit_output"),
        ("grow nameless", "limit_output"),
        ("link /etc/passwd", "limit_output"),
        ("link copy.txt", "limit_output"),
        ("folder", "limit_output"),
        ("signal SIGSEGV", "decoder_crashed: crashed with SIGSEGV"),
        ("signal SIGABRT", "decoder_crashed: crashed with SIGABRT"),
        ("exit 0", "decoder_crashed: left no readable result"),
        ("exit 3", "decoder_crashed: ended the process with status 3"),
    ],
)
def test_a_file_at_a_limit_gets_that_reason(run: Run, text: str, expected: str) -> None:
    ran = run(text)

    assert reason(ran) == expected
    assert isinstance(run("write well").outcome, Made)


@pytest.mark.failure("T30")
def test_a_step_that_ignores_every_signal_ends_at_its_seconds(run: Run) -> None:
    ran = run("spin", seconds=1)

    assert reason(ran) == "limit_time"
    assert ran.cpu_seconds < 15


@pytest.mark.parametrize(
    "result",
    [
        "{",
        "[]",
        json.dumps({"drafts": [{"name": "../x", "content_type": "a/b", "file": "x", "facts": {}}], "facts": {}}),
        json.dumps(
            {"drafts": [{"name": "x", "content_type": "a/b", "file": "../../../../etc/passwd", "facts": {}}], "facts": {}}
        ),
        json.dumps({"drafts": [], "facts": {"a": "x" * (65 << 10)}}),
        json.dumps({"drafts": [], "facts": "none"}),
        json.dumps({"drafts": 5, "facts": {}}),
        json.dumps({"drafts": [], "facts": {"a": float("nan")}}),
        json.dumps({"drafts": [], "facts": {"a": json.loads("[" * 200 + "]" * 200)}}),
        json.dumps({"bad_file": {"code": "limit\nforged", "message": "x"}}),
    ],
)
def test_a_forged_result_is_not_believed(run: Run, result: str) -> None:
    assert reason(run(f"forge {result}")) == "decoder_crashed: left no readable result"


#: Puts a link to another folder in the place of its outputs, and states a file there as an output.
SWAP = """
import json, os
os.rename(folder, folder.parent / "moved")
os.symlink({target!r}, folder)
draft = {{"name": "copy.txt", "content_type": "text/plain", "file": {name!r}, "facts": {{}}}}
(folder.parent / "result.json").write_text(json.dumps({{"drafts": [draft], "facts": {{}}}}))
os._exit(0)
"""


def test_a_link_in_place_of_the_outputs_leads_to_no_other_file(run: Run, tmp_path: Path) -> None:
    neighbour = tmp_path / "neighbour"
    neighbour.mkdir()
    (neighbour / "source").write_text("of another file")

    ran = run("python " + SWAP.format(target=str(neighbour), name="source"))
    own_process = run("python " + SWAP.format(target="/proc/self", name="environ"))

    assert {reason(ran), reason(own_process)} == {"limit_output"}


def test_a_message_of_a_child_is_one_short_line(run: Run) -> None:
    message = "first\n\x1b[31m\ud800" + "x" * 10_000

    ran = run("forge " + json.dumps({"bad_file": {"code": "corrupt", "message": message}}))

    assert isinstance(ran.outcome, BadFile)
    assert ran.outcome.message.startswith("first  [31m x")
    assert len(ran.outcome.message) == 500


def test_a_file_is_stored_as_one_output_only(run: Run) -> None:
    code = """
import json, os
(folder / "large").write_bytes(bytes(1000))
drafts = [{"name": name, "content_type": "text/plain", "file": "large", "facts": {}} for name in ("one", "two")]
(folder.parent / "result.json").write_text(json.dumps({"drafts": drafts, "facts": {}}))
os._exit(0)
"""
    assert reason(run("python " + code)) == "decoder_crashed: left no readable result"


def test_a_processor_may_change_its_folder(run: Run) -> None:
    assert run('python import os\nos.chdir(folder)\nfound["here"] = True').made().facts == {"here": True}


def test_an_unforeseen_exception_keeps_its_message_and_its_stack_trace(run: Run) -> None:
    ran = run("raise not there")

    with pytest.raises(ProcessorFailed, match="LookupError: not there") as failed:
        ran.made()
    assert "in _raise" in "".join(traceback.format_exception(failed.value))


def test_a_crash_runs_once_more_and_a_limit_of_time_does_not(run: Run, tmp_path: Path) -> None:
    run("signal SIGSEGV")
    run("spin", seconds=1)

    runs = {
        (place / "source").read_text(): sorted(path.name for path in (place / "folder").iterdir())
        for place in tmp_path.iterdir()
    }
    assert runs == {"signal SIGSEGV": ["1", "2"], "spin": ["1"]}


def test_a_crash_that_never_ends_when_alone_holds_others_up_for_a_short_while(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.sandbox.service.ALONE_SECONDS", 1)

    ran = run("relapse", seconds=60)

    assert reason(ran) == "decoder_crashed: ended the process with status 3"
    assert ran.cpu_seconds < 15


def test_memory_is_limited_to_what_the_step_says(run: Run) -> None:
    peaks = [run("allocate", memory_bytes=size * MIB).peak_bytes for size in (0, 32, 96)]

    assert 15 * MIB < peaks[1] - peaks[0] < 49 * MIB
    assert 47 * MIB < peaks[2] - peaks[1] < 81 * MIB


def test_the_wait_to_run_alone_counts_among_the_seconds(run: Run, tmp_path: Path) -> None:
    ended: list[float] = []

    def nap() -> None:
        run("nap 4")
        ended.append(time.monotonic())

    neighbour = threading.Thread(target=nap)
    neighbour.start()
    eventually(lambda: any(tmp_path.glob("work*/folder/1/error-output")))

    begun = time.monotonic()
    ran = run("relapse", seconds=5)
    neighbour.join()

    assert reason(ran) == "decoder_crashed: ended the process with status 3"
    assert ran.cpu_seconds < max(1, 5 - (ended[0] - begun)) + 0.6
