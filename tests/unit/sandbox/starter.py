"""A processor that starts Python as its program; the file has the code of both, apart from each other."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from shared.model import Limits
from shared.processors.programs import Programs
from shared.processors.registry import processor
from tests.unit.sandbox.hostile import NoOptions

NAME = "test.starter"
LIMITS = Limits(memory_bytes=96 << 20, seconds=20, output_bytes=1 << 20)
BETWEEN = "\n# the program\n"


@processor(NAME, version=1, options=NoOptions, limits=LIMITS, programs=("python3", "missing"))
def start(source: Path, folder: Path, _options: NoOptions, programs: Programs) -> Iterator[Mapping[str, Any]]:
    """Run the first part here, the second one as a program; its facts are what that prints, in JSON."""
    import json

    here, _, there = source.read_text().partition(BETWEEN)
    names: dict[str, Any] = {"folder": folder, "found": {}, "programs": programs, "pid": os.getpid()}
    exec(here, names)
    if there:
        names["found"]["printed"] = json.loads(programs.printed("python3", "-c", there, str(os.getpid()), str(folder)))
    yield names["found"]
