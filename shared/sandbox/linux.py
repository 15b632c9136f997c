"""System calls of Linux that Python has no function for."""

import ctypes
import os
import struct
import sys

_libc = ctypes.CDLL(None, use_errno=True)

IS_LINUX = sys.platform == "linux"

# prctl(2)
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_SECCOMP, PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS = 1, 4, 22, 36, 38


def prctl(option: int, *arguments: int) -> None:
    """Change how this process or thread behaves. Raises `OSError`."""
    _checked("prctl", _libc.prctl(option, *(ctypes.c_ulong(argument) for argument in (*arguments, 0, 0, 0, 0)[:4])))


def syscall(number: int, *arguments: int | ctypes.Array[ctypes.c_char] | None) -> int:
    """A system call by its number. Raises `OSError`."""
    converted = (ctypes.c_long(argument) if isinstance(argument, int) else argument for argument in arguments)
    return _checked(f"system call {number}", int(_libc.syscall(ctypes.c_long(number), *converted)))


def set_filter(program: ctypes.Structure) -> None:
    """Install a seccomp filter in this thread. Raises `OSError`."""
    mode_filter = 2
    _checked("seccomp", _libc.prctl(PR_SET_SECCOMP, ctypes.c_ulong(mode_filter), ctypes.byref(program), 0, 0))


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
