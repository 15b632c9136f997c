"""Landlock: a process gives up the file system, but for what it needs (Linux 5.13; man 7 landlock)."""

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
_RUN = _READ_FILE | _EXECUTE
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


class Ruleset:
    """Rules of the paths that stay readable, prepared once: each child adds its own file and folder."""

    def __init__(self, readable: Iterable[str]) -> None:
        """The open paths of those that exist, and all below them, stay readable."""
        supported = version()
        handled = (1 << _RIGHTS[min(supported, len(_RIGHTS)) - 1]) - 1
        network, scopes = (3 if supported >= since else 0 for since in (_NETWORK_VERSION, _SCOPES_VERSION))
        size = 8 if not network else 16 if not scopes else 24
        self._attributes = struct.pack("QQQ", handled, network, scopes)[:size]
        self._change = handled & ~_NEVER
        self._rules = [*(_rule(path, READ) for path in readable), _rule(os.devnull, self._change)]

    def restrict(self, sources: Iterable[str], folder: str, programs: Iterable[str] = ()) -> None:
        """Take all rights on files from this thread, but to read these paths and the sources, and to change the folder.

        It may then execute these programs, and nothing else.

        Where the kernel can, it may then neither use TCP, nor signal other processes, nor speak to abstract sockets.
        """
        ruleset = linux.syscall(_CREATE_RULESET, self._attributes, len(self._attributes))
        given = [*(_rule(source, READ) for source in sources), _rule(folder, self._change)]
        given += [_rule(program, _RUN) for program in programs]
        for rule in filter(None, (*self._rules, *given)):
            linux.syscall(_ADD_RULE, ruleset, _PATH_BENEATH, rule)
        linux.syscall(_RESTRICT_SELF, ruleset, 0)


def _rule(path: str, rights: int) -> bytes:
    """The rights on a file, or on a folder and all below it; empty where it does not exist. Raises `OSError`."""
    try:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return b""
    is_folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
    return struct.pack("=Qi", rights if is_folder else rights & _ON_FILES, descriptor)
