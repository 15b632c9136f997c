"""From a child's end to an outcome: what it made, or why not.

The child may be in a stranger's hands. Nothing that it wrote is trusted.
"""

import json
import re
import signal
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from shared import processors
from shared.errors import MAX_SUMMARY_CHARACTERS, BadFile, PipelineError, ProcessorFailed
from shared.model import Limits, canonical
from shared.processors import Draft, Made
from shared.processors.registry import MAX_FACTS_BYTES
from shared.sandbox import child, files
from shared.sandbox.confinement import RESULT_BYTES
from shared.sandbox.messages import Call, Report

MIB = 1 << 20
#: The facts of a step's outputs together have room in it.
MAX_RESULT_BYTES = 4 * MIB
#: Of what libraries printed, the part that is logged.
MAX_PRINTED_BYTES = 4 << 10
#: Of a child's stack trace, the part that is logged.
MAX_TRACE_CHARACTERS = 16 << 10
#: Levels of a result: its facts may have 60, which every JSON reader takes.
MAX_DEPTH = 64
#: Codes of `BadFile`.
CODE = re.compile("[a-z][a-z0-9_]{0,63}")
CRASHED = "decoder_crashed"
#: Printed by libraries in Rust and C++ that abort where an allocation fails.
_NO_MEMORY = ("memory allocation of ", "std::bad_alloc")


@dataclass(frozen=True, slots=True)
class Ran:
    """A step that was run: CPU seconds and bytes of memory that it took, and what it made or why it made nothing.

    `is_killed`: by `kill -9`, or by the kernel when memory ran out, but not at a limit.
    """

    cpu_seconds: float
    peak_bytes: int
    outcome: Made | PipelineError
    is_killed: bool = False

    def made(self) -> Made:
        """Raises `BadFile` for a file at fault, and `ProcessorFailed`."""
        if isinstance(self.outcome, PipelineError):
            raise self.outcome
        return self.outcome

    @property
    def is_worth_another(self) -> bool:
        """Whether neighbours may have had a part in this verdict."""
        return isinstance(self.outcome, BadFile) and self.outcome.code in ("limit_memory", CRASHED)

    def and_then(self, again: "Ran") -> "Ran":
        """Both runs as one: the second one decides, unless it ran out of time."""
        is_cut = isinstance(again.outcome, BadFile) and again.outcome.code == "limit_time"
        decided = self.unrepeated().outcome if is_cut else again.outcome
        return Ran(self.cpu_seconds + again.cpu_seconds, max(self.peak_bytes, again.peak_bytes), decided)

    def unrepeated(self) -> "Ran":
        """This run, where no second one decides: a crash is the file's fault; a kill from outside costs an attempt."""
        if not self.is_killed:
            return self
        return replace(self, outcome=ProcessorFailed(f"{self.outcome}, and it had no time to run again"))


def stopped(reason: str, limits: Limits) -> BadFile:
    """The verdict over a file that reached a limit."""
    sentences = {
        "limit_time": f"it took more than {limits.seconds} s, the limit",
        "limit_memory": f"it took more than {limits.memory_bytes // MIB} MiB of memory, the limit",
        "limit_output": f"its outputs took more than {limits.output_bytes:,} bytes or {files.MAX_FILES:,} files, the limits",
    }
    return BadFile(sentences[reason], reason)


def read(call: Call, report: Report) -> Made | PipelineError:
    """The outcome of a child that ended by itself."""
    if report.code == -signal.SIGXCPU:
        return _ended_by(signal.SIGXCPU, call.limits)
    outputs = f"{call.folder}/{child.OUTPUTS}"
    if not files.is_folder(outputs):
        return BadFile("its folder of outputs was replaced or removed", "limit_output")
    if _has_excess(call, outputs):
        return stopped("limit_output", call.limits)
    if report.code == -signal.SIGABRT and any(words in printed(call) for words in _NO_MEMORY):
        return stopped("limit_memory", call.limits)
    if report.code < 0:
        return _ended_by(-report.code, call.limits)
    if report.code == child.UNCONFINED:
        return ProcessorFailed("the sandbox could not be set up", printed(call))
    if report.code:
        return BadFile(f"its decoder ended the process with status {report.code}", CRASHED)
    return _result(call, Path(outputs))


def _ended_by(number: int, limits: Limits) -> BadFile:
    """The verdict over a file whose child, or its program, was ended by this signal."""
    if number == signal.SIGXCPU:
        return stopped("limit_time", limits)
    if number == signal.SIGXFSZ:
        return stopped("limit_output", limits)
    return BadFile(f"its decoder crashed with {_signal(number)}", CRASHED)


def _has_excess(call: Call, outputs: str) -> bool:
    """Whether the outputs exceed their limit, or with all else in the folder that and `RESULT_BYTES`."""
    most, whole = call.limits.output_bytes, files.taken(call.folder)
    return whole.exceeds(most) and (whole.exceeds(most + RESULT_BYTES) or files.taken(outputs).exceeds(most))


def _result(call: Call, outputs: Path) -> Made | PipelineError:
    try:
        result = json.loads(files.read(Path(call.folder) / child.RESULT, MAX_RESULT_BYTES))
        return _parsed(result, call, outputs)
    except files.NotRegular as error:
        return BadFile(f"its output {error}", "limit_output")
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError, PipelineError):
        return BadFile("its decoder left no readable result", CRASHED)


def printed(call: Call) -> str:
    """The beginning of what the child's libraries printed."""
    try:
        return files.read(Path(call.folder) / child.ERROR_OUTPUT, MAX_PRINTED_BYTES).decode(errors="replace").strip()
    except (OSError, files.NotRegular):
        return ""


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _parsed(result: Mapping[str, Any], call: Call, outputs: Path) -> Made | PipelineError:
    if "limit" in result:
        return stopped(result["limit"], call.limits)
    if "signal" in result:
        return _ended_by(int(result["signal"]), call.limits)
    if "bad_file" in result:
        return BadFile(_line(result["bad_file"]["message"]), _code(result["bad_file"]["code"]))
    if "error" in result:
        return ProcessorFailed(_line(result["error"]["summary"]), _text(result["error"]["stack_trace"]))
    _check_depth(result)
    made = Made(tuple(_drafts(result["drafts"], outputs)), dict(result["facts"]))
    if len(canonical(dict(made.facts))) > MAX_FACTS_BYTES:
        raise ValueError("more facts than a manifest takes")
    return processors.find(call.recipe.processor).checked(made, call.recipe.options)


def _line(value: object) -> str:
    """A text for people, on one line."""
    return "".join(each if each.isprintable() else " " for each in str(value)[:MAX_SUMMARY_CHARACTERS])


def _text(value: object) -> str:
    return str(value)[:MAX_TRACE_CHARACTERS].encode(errors="replace").decode()


def _code(value: str) -> str:
    if not CODE.fullmatch(value):
        raise ValueError("a code that no processor has")
    return value


def _check_depth(value: object, levels: int = MAX_DEPTH) -> None:
    """Raise `ValueError` for JSON that is nested so deep that its readers fail."""
    if not levels:
        raise ValueError("facts nested too deep")
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        _check_depth(inner, levels - 1)


def _drafts(listed: list[Any], outputs: Path) -> Iterator[Draft]:
    names = [Path(draft["file"]).name for draft in listed]
    if len(names) > files.MAX_FILES or len(set(names)) < len(names):
        raise ValueError("an output is listed twice: its bytes are counted once, and would be stored twice")
    for draft, name in zip(listed, names, strict=True):
        path = outputs / name
        files.read(path, 0)
        yield Draft(draft["name"], draft["content_type"], path, dict(draft["facts"]))
