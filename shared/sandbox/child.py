"""The child: confined before it sees the file, it runs one processor, writes a result, and ends."""

import errno
import functools
import gc
import json
import os
import signal
import tempfile
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

from shared import processors
from shared.errors import BadFile, summary
from shared.model import canonical
from shared.processors import Made
from shared.processors.programs import ProgramCrashed, Programs
from shared.sandbox import linux
from shared.sandbox.confinement import Confinement, die_with, limit
from shared.sandbox.messages import Call

#: Names in the folder of a call. Outputs have a folder of their own.
OUTPUTS, RESULT, ERROR_OUTPUT = "outputs", "result.json", "error-output"
#: Exit status of a child that could not be confined, or could not write its result.
UNCONFINED, NO_RESULT = 70, 71


def run(data: bytes, zygote: int, confinement: Confinement) -> NoReturn:
    """Confine this process, do the work, write the result, end.

    `data` is the call as JSON; `zygote` is the parent's process id.
    """
    code = UNCONFINED
    try:
        call = Call.from_json(json.loads(data.decode()))
        _begin(call, zygote, confinement)
        code = NO_RESULT
        _write(_work(call, confinement), call.folder)
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def _begin(call: Call, zygote: int, confinement: Confinement) -> None:
    os.setsid()
    die_with(zygote)
    if linux.IS_LINUX:
        linux.prctl(linux.PR_SET_DUMPABLE, 1)  # the service looks at the files that this process holds
    signal.set_wakeup_fd(-1)
    os.chdir(call.folder)
    _redirect()
    _volunteer_for_the_kernel()
    tempfile.tempdir = call.folder
    limit(call.limits, has_programs=bool(call.programs))
    confinement.forbid([call.source, *call.assets.values()], call.folder, list(call.programs.values()))
    gc.enable()


def _redirect() -> None:
    """Give libraries nothing to read, and a file to print to; a crash leaves its stack trace there."""
    nothing = os.open(os.devnull, os.O_RDWR)
    errors = os.open(ERROR_OUTPUT, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
    for target, descriptor in ((0, nothing), (1, nothing), (2, errors)):
        os.dup2(descriptor, target)


def _volunteer_for_the_kernel() -> None:
    """Where memory runs out all the same, the kernel ends this process before the service."""
    try:
        descriptor = os.open("/proc/self/oom_score_adj", os.O_WRONLY)
        os.write(descriptor, b"1000")
    except OSError:  # this is no Linux
        pass


def _work(call: Call, confinement: Confinement) -> dict[str, Any]:
    folder = Path(call.folder) / OUTPUTS
    confine = functools.partial(confinement.forbid_in_program, os.getpid(), call.limits)
    try:
        processor = processors.find(call.recipe.processor)
        assets, paths = _as_paths(call.assets), _as_paths(call.programs)
        made = processor.run(Path(call.source), folder, call.recipe.options, assets, Programs(paths, confine))
        return _as_json(made, folder)
    except BadFile as error:
        return {"bad_file": {"code": error.code, "message": error.message}}
    except ProgramCrashed as error:
        return {"signal": error.signal}
    except MemoryError:
        return {"limit": "limit_memory"}
    except Exception as error:
        if isinstance(error, OSError) and error.errno == errno.EFBIG:
            return {"limit": "limit_output"}
        return {"error": {"summary": summary(error), "stack_trace": traceback.format_exc()}}


def _as_paths(texts: Mapping[str, str]) -> dict[str, Path]:
    return {name: Path(text) for name, text in texts.items()}


def _as_json(made: Made, folder: Path) -> dict[str, Any]:
    drafts = []
    for draft in made.drafts:
        if draft.path.parent != folder:
            raise ValueError(
                f"output {draft.name} is at {draft.path}; write it directly into the folder that the processor is given"
            )
        fields = {"name": draft.name, "content_type": draft.content_type, "file": draft.path.name, "facts": dict(draft.facts)}
        drafts.append(fields)
    return {"drafts": drafts, "facts": dict(made.facts)}


def _write(result: dict[str, Any], folder: str) -> None:
    with open(f"{folder}/{RESULT}", "xb") as file:  # noqa: PTH123  (less code, so less memory, than `Path`)
        file.write(canonical(result))
