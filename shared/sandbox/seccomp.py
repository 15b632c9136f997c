"""seccomp: a process gives up system calls for good (man 2 seccomp). A denied call fails with EPERM.

Denied is what leaves the process: sockets, new processes, signals to others, other processes' memory, memory and files that no
limit counts, permissions and attributes of files, and what only the administrator may do. Calls newer than this table fail with
ENOSYS, to which libraries have an answer. A child with programs starts processes; these replace themselves, and start none.
"""

import ctypes
import enum
import errno
import functools
import os
import platform
import struct
from collections.abc import Iterator
from pathlib import Path

from shared.sandbox import linux
from shared.sandbox.denied import NUMBERS

# linux/audit.h: the architecture that the kernel states with each call
_ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_BY_ARGUMENTS = (
    *("clone", "clone3", "tgkill", "prlimit64", "prctl", "fcntl", "ioctl"),
    *("socketpair", "sched_setaffinity", "fallocate", "mmap"),
)
#: The newest call of Linux 6.1; those above it are unknown here.
_NEWEST = 450

_CLONE_THREAD, _CLONE_FILES = 0x10000, 0x400
#: The flags of a plain fork: the signal at its end, and where libraries note the new number.
_FORK_FLAGS = 0x000000FF | 0x00100000 | 0x00200000 | 0x01000000
_MAP_SHARED, _MAP_ANONYMOUS, _MAP_GROWSDOWN = 0x1, 0x20, 0x100
_AF_UNIX, _NO_STREAM = 1, 2
_F_SETOWN, _F_SETOWN_EX = 8, 15
_FIOSETOWN, _SIOCSPGRP = 0x8901, 0x8902

# linux/filter.h, linux/seccomp.h
_LOAD, _IF_EQUAL, _IF_ABOVE, _IF_BITS, _RETURN = 0x20, 0x15, 0x25, 0x45, 0x06
_KILL, _ERROR, _ALLOW = 0x80000000, 0x00050000, 0x7FFF0000
_NUMBER_OFFSET, _ARCHITECTURE_OFFSET, _ARGUMENTS_OFFSET = 0, 4, 16

#: Stands for the child's process id; no process has it.
_SOME_PID = 0xFFFFFFFF

_SIGKILL = 9

_Instruction = tuple[int, int, int, int]
_DENY: _Instruction = (_RETURN, 0, 0, _ERROR | errno.EPERM)
_NO_MEMORY: _Instruction = (_RETURN, 0, 0, _ERROR | errno.ENOMEM)
_UNKNOWN: _Instruction = (_RETURN, 0, 0, _ERROR | errno.ENOSYS)


class Kind(enum.Enum):
    """A child alone; a child that starts programs; such a program. A filter adds to those before it."""

    CHILD = enum.auto()
    STARTER = enum.auto()
    PROGRAM = enum.auto()


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def is_supported() -> bool:
    """Whether this machine has the filter, and this module its numbers."""
    if not linux.IS_LINUX or platform.machine() not in _ARCHITECTURES:
        return False
    try:
        return "errno" in Path("/proc/sys/kernel/seccomp/actions_avail").read_text(encoding="ascii")
    except OSError:
        return False


def prepare() -> None:
    """Compute the filters, for all children."""
    for kind in Kind:
        _code(kind)


def install(kind: Kind) -> None:
    """Deny the calls, in this thread and all that it starts. Raises `OSError`; needs no_new_privs."""
    before, after = _code(kind)
    code = b"".join((before, _packed(_IF_EQUAL, 1, 0, os.getpid()), after))
    linux.set_filter(_Program(len(code) // 8, code))


@functools.cache
def _code(kind: Kind) -> tuple[bytes, bytes]:
    """The filter before and after the instruction that holds the process id."""
    every = [_packed(*one) for one in _instructions(platform.machine(), _SOME_PID, kind)]
    place = every.index(_packed(_IF_EQUAL, 1, 0, _SOME_PID))
    return b"".join(every[:place]), b"".join(every[place + 1 :])


def _packed(code: int, if_true: int, if_false: int, value: int) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, value)


def _instructions(machine: str, pid: int, kind: Kind) -> Iterator[_Instruction]:
    column = list(_ARCHITECTURES).index(machine)
    number_of = {name: numbers[column] for name, numbers in NUMBERS.items() if numbers[column] is not None}
    yield _LOAD, 0, 0, _ARCHITECTURE_OFFSET
    yield _IF_EQUAL, 1, 0, _ARCHITECTURES[machine]
    yield _RETURN, 0, 0, _KILL
    yield _LOAD, 0, 0, _NUMBER_OFFSET
    yield _IF_ABOVE, 0, 1, _NEWEST  # an x32 call too
    yield _UNKNOWN
    for name, number in number_of.items():
        is_allowed = name == "execve" and kind is not Kind.CHILD
        if name not in _BY_ARGUMENTS and not is_allowed:
            yield from _where(number, [_DENY])
    yield from _new_processes(number_of, kind)
    yield from _by_arguments(number_of, pid)
    yield _RETURN, 0, 0, _ALLOW


def _new_processes(number_of: dict[str, int | None], kind: Kind) -> Iterator[_Instruction]:
    # glibc answers ENOSYS with clone, whose flags can be read here; clone3 has them in memory.
    yield from _where(number_of["clone3"], [_UNKNOWN])
    # A thread with descriptors of its own could hide files from the service.
    if kind is Kind.STARTER:
        tests = [(_IF_BITS, 0, 1, _CLONE_THREAD), (_IF_BITS, 2, 1, _CLONE_FILES), (_IF_BITS, 0, 1, ~_FORK_FLAGS & 0xFFFFFFFF)]
    else:
        tests = [(_IF_BITS, 0, 1, _CLONE_THREAD), (_IF_BITS, 1, 0, _CLONE_FILES)]
    yield from _where(number_of["clone"], [_argument(0), *tests, _DENY])


def _by_arguments(number_of: dict[str, int | None], pid: int) -> Iterator[_Instruction]:
    yield from _where(number_of["tgkill"], [_argument(0), (_IF_EQUAL, 1, 0, pid), _DENY])
    for name in ("prlimit64", "sched_setaffinity", "fallocate"):  # of itself only; fallocate has modes that leave the size
        yield from _where(number_of[name], [_argument(1 if name == "fallocate" else 0), (_IF_EQUAL, 1, 0, 0), _DENY])
    # Undumpable, its descriptors could not be counted. It ends with its parent, and cannot choose not to.
    tests = [(_IF_EQUAL, 3, 0, linux.PR_SET_DUMPABLE), (_IF_EQUAL, 0, 3, linux.PR_SET_PDEATHSIG)]
    yield from _where(number_of["prctl"], [_argument(0), *tests, _argument(1), (_IF_EQUAL, 1, 0, _SIGKILL), _DENY])
    # The owner of a descriptor gets signals, any owner any signal.
    denied = {
        "fcntl": (1, _F_SETOWN, _F_SETOWN_EX),
        "ioctl": (1, _FIOSETOWN, _SIOCSPGRP),
    }
    for name, (index, first, second) in denied.items():
        tests = [(_IF_EQUAL, 1, 0, first), (_IF_EQUAL, 0, 1, second), _DENY]
        yield from _where(number_of[name], [_argument(index), *tests])
    # A datagram reaches any socket that has a path.
    pair = [_argument(0), (_IF_EQUAL, 0, 2, _AF_UNIX), _argument(1), (_IF_BITS, 0, 1, _NO_STREAM), _DENY]
    yield from _where(number_of["socketpair"], pair)
    # RLIMIT_DATA counts neither stacks nor shared memory.
    tests = [(_IF_BITS, 2, 0, _MAP_GROWSDOWN), (_IF_BITS, 0, 2, _MAP_ANONYMOUS), (_IF_BITS, 0, 1, _MAP_SHARED)]
    anonymous = [_argument(3), *tests, _NO_MEMORY]
    yield from _where(number_of["mmap"], anonymous)


def _where(number: int | None, then: list[_Instruction]) -> Iterator[_Instruction]:
    """Instructions for one system call. If they reach their end, the call is allowed."""
    assert number is not None
    allowed: list[_Instruction] = [] if then[-1][0] == _RETURN and len(then) == 1 else [(_RETURN, 0, 0, _ALLOW)]
    block = [*then, *allowed]
    yield _IF_EQUAL, 0, len(block), number
    yield from block


def _argument(index: int) -> _Instruction:
    """Load the low 32 bits of an argument; both architectures are little-endian."""
    return _LOAD, 0, 0, _ARGUMENTS_OFFSET + 8 * index
