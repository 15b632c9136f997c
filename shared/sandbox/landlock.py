"""Landlock: a process gives up the file system, but for what it needs (Linux 5.13; man 7 landlock)."""

import contextlib
import ctypes
import os
import stat
import struct
from collections.abc import Iterable

from shared.sandbox import linux

#: The numbers are the same on all architectures.
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_VERSION_FLAG, _PATH_BENEATH = 1, 1

# Rights on files: include/uapi/linux/landlock.h
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_MAKE_CHAR, _MAKE_SOCK, _MAKE_FIFO, _MAKE_BLOCK = 1 << 6, 1 << 9, 1 << 10, 1 << 11
_TRUNCATE = 1 << 14
#: The number of rights on files that each version of the interface has, from version 1 on; later ones have the last number.
_RIGHTS = (13, 14, 15, 15, 16)
#: From these versions on: rights on TCP (bind and connect); scopes (abstract sockets and signals).
_NETWORK_VERSION, _SCOPES_VERSION = 4, 6

READ = _READ_FILE | _READ_DIR
#: Regular files, folders and symbolic links; no devices, sockets or pipes, and nothing to execute.
_NEVER = _EXECUTE | _MAKE_CHAR | _MAKE_SOCK | _MAKE_FIFO | _MAKE_BLOCK
_ON_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE


def version() -> int:
    """The version of the kernel's interface; 0 where it has none or it is switched off."""
    if not linux.IS_LINUX:
        return 0
    try:
        return linux.syscall(_CREATE_RULESET, None, 0, _VERSION_FLAG)
    except OSError:
        return 0


def restrict(readable: Iterable[int], writable: Iterable[int]) -> None:
    """Take all rights on files from this thread, but reading and changing what these open folders and files hold.

    Where the kernel can, it may then neither use TCP, nor signal other processes, nor speak to abstract sockets.
    """
    supported = version()
    handled = (1 << _RIGHTS[min(supported, len(_RIGHTS)) - 1]) - 1
    rules = struct.pack("QQQ", handled, 3 if supported >= _NETWORK_VERSION else 0, 3 if supported >= _SCOPES_VERSION else 0)
    size = 8 if supported < _NETWORK_VERSION else 16 if supported < _SCOPES_VERSION else 24
    ruleset = linux.syscall(_CREATE_RULESET, _buffer(rules), size, 0)
    for descriptor in readable:
        _allow(ruleset, descriptor, READ)
    for descriptor in writable:
        _allow(ruleset, descriptor, handled & ~_NEVER)
    linux.syscall(_RESTRICT_SELF, ruleset, 0)
    os.close(ruleset)


def _allow(ruleset: int, descriptor: int, rights: int) -> None:
    if not stat.S_ISDIR(os.fstat(descriptor).st_mode):
        rights &= _ON_FILES
    linux.syscall(_ADD_RULE, ruleset, _PATH_BENEATH, _buffer(struct.pack("=Qi", rights, descriptor)), 0)


def _buffer(data: bytes) -> "ctypes.Array[ctypes.c_char]":
    return ctypes.create_string_buffer(data, len(data))


def opened(paths: Iterable[str | os.PathLike[str]]) -> list[int]:
    """Descriptors of those of these paths that exist, for `restrict`."""
    found = []
    for path in paths:
        with contextlib.suppress(OSError):
            found.append(os.open(path, os.O_PATH | os.O_CLOEXEC))
    return found
