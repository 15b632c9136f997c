"""System calls of Linux that Python has no function for."""

import ctypes
import os
import struct
import sys

IS_LINUX = sys.platform == "linux"

_libc = ctypes.CDLL(None, use_errno=True)
if IS_LINUX:
    _libc.prctl.argtypes = (ctypes.c_int, *[ctypes.c_ulong] * 4)
    _libc.syscall.restype = ctypes.c_long
    _libc.syscall.argtypes = (ctypes.c_long, *[ctypes.c_void_p] * 4)  # numbers have the size of pointers

# prctl(2)
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_SECCOMP, PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS = 1, 4, 22, 36, 38
_MODE_FILTER = 2


def prctl(option: int, value: int, more: int = 0) -> None:
    """Change how this process or thread behaves. Raises `OSError`."""
    _checked("prctl", _libc.prctl(option, value, more, 0, 0))


def syscall(number: int, first: int | bytes | None, second: int, third: int | bytes = 0, fourth: int = 0) -> int:
    """A system call by its number. Raises `OSError`."""
    return _checked(f"system call {number}", _libc.syscall(number, first, second, third, fourth))


def set_filter(program: ctypes.Structure) -> None:
    """Install a seccomp filter in this thread. Raises `OSError`."""
    prctl(PR_SET_SECCOMP, _MODE_FILTER, ctypes.addressof(program))


def drop_capabilities() -> None:
    """Give up the administrator's rights, such as raising limits. Raises `OSError`. Source: capset(2)."""
    header = struct.pack("Ii", 0x20080522, 0)  # version 3, this thread
    _checked("capset", _libc.capset(header, bytes(24)))


def give_back_heap() -> None:
    """Return the allocator's free memory to the kernel, where the C library can (glibc)."""
    if hasattr(_libc, "malloc_trim"):
        _libc.malloc_trim(0)


def _checked(name: str, result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")
    return result
