"""The limits of a child, and all that it gives up before it sees a file: files, descriptors, system calls."""

import os
import resource
import site
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from shared.model import Limits
from shared.sandbox import landlock, linux, seccomp
from shared.sandbox.elf import loader_of
from shared.sandbox.seccomp import Kind

#: Heap that the allocator requests at once. Limits are higher by this much, as a request that fails in part fails whole.
HEAP_STEP_BYTES = 16 << 20
#: Address space without memory behind it: libraries map files, and threads reserve heaps.
MAPPINGS_BYTES = 256 << 20
#: A single file may exceed `output_bytes` by this much, so that there is room for the result beside the outputs.
RESULT_BYTES = 4 << 20
#: The service stops a step above its memory. The kernel's limit is higher: ffmpeg stands still where an allocation fails.
PROGRAM_FACTOR = 2
DESCRIPTORS = 64
#: The zygote has fewer.
MOST_DESCRIPTORS = 4096
CPUS, PAGE_BYTES = os.cpu_count() or 1, resource.getpagesize()
#: System folders and files that libraries read when they are used.
_SYSTEM = (
    *("/usr", "/lib", "/lib64", "/etc/ld.so.cache", "/etc/fonts", "/etc/mime.types", "/etc/localtime", "/dev/urandom"),
    *("/proc/cpuinfo", "/proc/meminfo", "/sys/devices/system/cpu", "/sys/fs/cgroup"),
)
#: The child's own, which has another path in each: DuckDB looks there for its limits, and stops where it may not.
_OWN = "/proc/self/cgroup"


def missing() -> list[str]:
    """The parts that this host cannot enforce."""
    parts = {"memory limit": linux.IS_LINUX, "seccomp": seccomp.is_supported(), "landlock": landlock.version() > 0}
    return [name for name, holds in parts.items() if not holds]


class Confinement:
    """The parts that this host enforces. The zygote finds them out, once: a confined child could not even look."""

    def __init__(self) -> None:
        self._has_seccomp = seccomp.is_supported()
        if self._has_seccomp:
            seccomp.prepare()
        #: Allows what Python and its libraries read.
        self._landlock = landlock.Ruleset(dict.fromkeys([*_SYSTEM, *_python_folders()])) if landlock.version() else None

    def forbid(self, sources: Iterable[str], folder: str, programs: Sequence[str] = ()) -> None:
        """Give up all files but the sources (to read) and the folder (to change), all descriptors, many system calls.

        It may start the programs. Each of them calls `forbid_in_program` first.
        """
        if linux.IS_LINUX:
            linux.prctl(linux.PR_SET_NO_NEW_PRIVS, 1)
        if self._landlock:
            loaders = [loader for program in programs if (loader := loader_of(program))]
            self._landlock.restrict([*sources, _OWN], folder, [*programs, *loaders])
        if linux.IS_LINUX:
            linux.drop_capabilities()
        os.closerange(3, MOST_DESCRIPTORS)
        _set(resource.RLIMIT_NOFILE, DESCRIPTORS)  # not before: it inherits one for each call at the same time
        if self._has_seccomp:
            seccomp.install(Kind.STARTER if programs else Kind.CHILD)

    def forbid_in_program(self, starter: int, limits: Limits) -> None:
        """Bind a new process to the end of its starter, bound its memory, and take from it to start others."""
        die_with(starter)
        if linux.IS_LINUX:
            _set(resource.RLIMIT_AS, program_bytes(limits) + MAPPINGS_BYTES)
            _set(resource.RLIMIT_DATA, program_bytes(limits))
        if self._has_seccomp:
            seccomp.install(Kind.PROGRAM)


def _python_folders() -> Iterator[str]:
    yield from (sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix)
    yield from (path for path in (*sys.path, *site.getsitepackages()) if path.endswith("-packages"))
    yield str(Path(__file__).resolve().parent.parent)


def program_bytes(limits: Limits) -> int:
    """The kernel's limit for the memory of a program."""
    return PROGRAM_FACTOR * limits.memory_bytes + HEAP_STEP_BYTES


def die_with(parent: int) -> None:
    """End this process when its parent ends, also by `kill -9`."""
    if linux.IS_LINUX:
        linux.prctl(linux.PR_SET_PDEATHSIG, 9)
    if os.getppid() != parent:  # it ended before
        os._exit(1)


def limit(limits: Limits, *, has_programs: bool = False) -> None:
    """Bound the memory, CPU time and files of this process. It dumps no core.

    No program can have more memory than its child may: this is the kernel's limit for both.
    """
    # Wall time is watched from outside. This is for a service that cannot: it stands still, or was stopped.
    cpu_seconds = limits.seconds * CPUS
    _set(resource.RLIMIT_CPU, cpu_seconds, cpu_seconds + 1)  # first SIGXCPU, which shows why it ended
    _set(resource.RLIMIT_FSIZE, limits.output_bytes + RESULT_BYTES)
    _set(resource.RLIMIT_CORE, 0)
    if linux.IS_LINUX:  # macOS accepts these and ignores them
        mapped, data = _memory_in_use()
        most = program_bytes(limits) if has_programs else limits.memory_bytes + HEAP_STEP_BYTES
        _set(resource.RLIMIT_AS, mapped + most + MAPPINGS_BYTES)
        _set(resource.RLIMIT_DATA, data + most)
        _set(resource.RLIMIT_MEMLOCK, 0)


def _set(kind: int, soft: int, hard: int | None = None) -> None:
    wanted, most = (soft, soft if hard is None else hard), resource.getrlimit(kind)[1]
    resource.setrlimit(kind, wanted if most == resource.RLIM_INFINITY else (min(wanted[0], most), min(wanted[1], most)))


def _memory_in_use() -> tuple[int, int]:
    """Bytes of address space, and of its private writable part."""
    pages = read("/proc/self/statm").split()
    return int(pages[0]) * PAGE_BYTES, int(pages[5]) * PAGE_BYTES


def read(path: str) -> bytes:
    """The beginning of a small file. `Path.read_text` runs through so much code that a child copies 30 pages more."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return os.read(descriptor, 4096)
    finally:
        os.close(descriptor)
