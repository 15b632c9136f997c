"""Looks at a running child and the programs that it started: their files, threads and memory."""

import os
from contextlib import suppress
from dataclasses import dataclass

from shared.sandbox import files
from shared.sandbox.confinement import HEAP_STEP_BYTES, PAGE_BYTES, RESULT_BYTES, program_bytes
from shared.sandbox.messages import Call

#: Of so many looks, one is at mapped files too, and at the processes of the group.
SELDOM = 4
#: Of one child and its programs. Libraries start one or two for each CPU.
MAX_THREADS = 512
#: A processor runs one program at a time; another may be ending.
MAX_PROCESSES = 8
#: A program so close to the kernel's limit has reached it: the next allocation may fail, and ffmpeg then stands still.
NEAR_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class Memory:
    """Of a process: bytes that no file backs, and those that it requested, touched or not."""

    private_bytes: int = 0
    requested_bytes: int = 0


class Watch:
    """The looks at one child. `peak_bytes` is the most memory that its processes were seen to take together."""

    def __init__(self, call: Call) -> None:
        self.peak_bytes = 0
        self._call = call
        self._looks = 0
        #: What the child may share with the zygote: all of its memory. The child's own at the first look may be much more.
        self._shared_bytes: int | None = None
        self._processes: list[int] = []

    def reached(self, process: int) -> str:
        """The limit that a running child is above, or empty. Its number is 0 until the zygote has told it."""
        if not process:  # a group of this number has all threads of the kernel
            return self._files(with_mapped=False)
        self._looks += 1
        is_thorough = self._looks % SELDOM == 0
        if not self._processes or (is_thorough and self._call.programs):
            self._processes = [process, *_started_by(process)] if self._call.programs else [process]
        return self._crowd() or self._memory() or self._files(with_mapped=is_thorough)

    def _crowd(self) -> str:
        """The kernel holds 20 KiB for each thread, which no limit counts; and other steps need numbers too."""
        is_crowded = sum(map(files.threads, self._processes)) > MAX_THREADS or len(self._processes) > MAX_PROCESSES
        return "limit_memory" if is_crowded else ""

    def _memory(self) -> str:
        """The limit for all processes together; each has one of its own, the kernel's."""
        if not self._call.programs:
            return ""
        memories = [_memory(one) for one in self._processes]
        taken = sum(memory.private_bytes for memory in memories)
        if self._shared_bytes is None:
            self._shared_bytes = _memory(_parent(self._processes[0])).private_bytes
        self.peak_bytes = max(self.peak_bytes, taken)
        most = program_bytes(self._call.limits) - NEAR_BYTES
        is_above = taken > self._call.limits.memory_bytes + HEAP_STEP_BYTES + self._shared_bytes
        return "limit_memory" if is_above or any(memory.requested_bytes > most for memory in memories[1:]) else ""

    def _files(self, *, with_mapped: bool) -> str:
        # Reading a list of mappings takes 2 ms. Most steps end before the first time.
        taken = files.taken(self._call.folder, self._processes, with_mapped=with_mapped)
        return "limit_output" if taken.exceeds(self._call.limits.output_bytes + RESULT_BYTES) else ""


def _started_by(child: int) -> list[int]:
    """The other processes in the group of a child, also those whose parents ended."""
    with suppress(OSError):
        numbers = [int(name) for name in os.listdir("/proc") if name.isdecimal()]  # noqa: PTH208
        return [number for number in numbers if number != child and _group(number) == child]
    return []


def _group(process: int) -> int:
    try:
        return os.getpgid(process)
    except OSError:  # it ended
        return 0


def _parent(process: int) -> int:
    """The number of the process that started it; 0 when it ended."""
    with suppress(OSError), open(f"/proc/{process}/stat", "rb") as file:  # noqa: PTH123
        return int(file.read().rpartition(b")")[2].split()[1])  # behind the name, which may hold spaces: state, parent
    return 0


def _memory(process: int) -> Memory:
    """Nothing of a process that ended, and on a system that does not show it."""
    with suppress(OSError), open(f"/proc/{process}/statm", "rb") as file:  # noqa: PTH123
        pages = [int(number) for number in file.read().split()]
        return Memory((pages[1] - pages[2]) * PAGE_BYTES, pages[5] * PAGE_BYTES)
    return Memory()
