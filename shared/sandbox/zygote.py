"""The zygote: a process with the processors' libraries loaded, which forks a child for each call.

It has one thread, as a fork keeps only one. It never sees a file, and it ends with the service: then its channel closes.
"""

import faulthandler
import gc
import importlib
import os
import select
import signal
import socket
import sys
from contextlib import suppress

from shared import processors
from shared.sandbox import child, linux, messages
from shared.sandbox.confinement import Confinement
from shared.sandbox.messages import Report

#: `ru_maxrss` is in KiB on Linux, in bytes on macOS.
_PEAK_UNIT = 1024 if linux.IS_LINUX else 1


def main(descriptor: int, *declared: str) -> None:
    """Prepare processors, and serve calls from the channel with this descriptor until it closes.

    `declared` has the name of a processor, its module, the next name, and so on.
    """
    _import_without_hooks()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the service decides
    for name, module in zip(declared[::2], declared[1::2], strict=True):
        importlib.import_module(module)
        processors.find(name).prepare()
    _Zygote(socket.socket(fileno=descriptor)).serve()


def _import_without_hooks() -> None:
    """Import `threading` and `logging` without their work after each fork, which costs every child 1 ms.

    That work makes their locks anew, as another thread may have held one, and forgets the other threads. Here is one thread.
    """
    register = os.register_at_fork
    os.register_at_fork = lambda **_: None
    import logging  # noqa: F401
    import threading  # noqa: F401

    os.register_at_fork = register


class _Zygote:
    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self._confinement = Confinement()
        #: The caller's stream of each child, by process id, until nothing of it runs.
        self._callers: dict[int, int] = {}
        #: Of those that ended.
        self._reports: dict[int, Report] = {}
        self._ended, wake = os.pipe()
        for end in (self._ended, wake):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self._poll = select.poll()
        for descriptor in (channel.fileno(), self._ended):
            self._poll.register(descriptor, select.POLLIN)

    def serve(self) -> None:
        if linux.IS_LINUX:
            linux.prctl(linux.PR_SET_CHILD_SUBREAPER, 1)  # what a child started comes here when the child ends
            linux.prctl(linux.PR_SET_DUMPABLE, 0)  # without Landlock, a child of the same user could write to this memory
        if (threads := _threads()) != 1:
            sys.exit(f"{threads} threads run once all is prepared: import the library that starts them where it is used")
        faulthandler.enable(2)  # a child that crashes leaves its stack trace in its error output
        gc.collect()
        linux.give_back_heap()  # it would come on top of each child's limit
        gc.freeze()  # no child then writes to these objects: their pages stay shared
        gc.disable()
        self._channel.send(messages.READY)
        while self._turn():
            pass
        for pid in self._callers:
            _kill(pid)

    def _turn(self) -> bool:
        """Wait for events and answer them; False once the service is gone."""
        for descriptor, _ in self._poll.poll():
            if descriptor == self._channel.fileno():
                if not self._accept():
                    return False
            elif descriptor == self._ended:
                self._reap()
            else:
                self._hang_up(descriptor)
        return True

    def _accept(self) -> bool:
        try:
            call, caller = messages.receive_call(self._channel)
        except OSError:
            return False
        self._fork(call, caller)
        return True

    def _fork(self, call: bytes, caller: int) -> None:
        zygote = os.getpid()
        try:
            pid = os.fork()
        except OSError:  # no memory or number is free: this call fails, the running ones go on
            _answer(caller, 0)
            _end(caller, Report(child.UNCONFINED, 0, 0))
            return
        if pid == 0:
            child.run(call, zygote, self._confinement)
        self._callers[pid] = caller
        self._poll.register(caller, select.POLLIN)
        _answer(caller, pid)

    def _hang_up(self, descriptor: int) -> None:
        """End the child of a caller that hung up; it sends nothing else."""
        self._forget(descriptor)
        for pid in [pid for pid, caller in self._callers.items() if caller == descriptor]:
            _kill(pid)

    def _forget(self, caller: int) -> None:
        with suppress(KeyError):  # it hung up before
            self._poll.unregister(caller)

    def _reap(self) -> None:
        with suppress(BlockingIOError):
            os.read(self._ended, 4096)
        with suppress(ChildProcessError):
            while ended := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT):
                self._count(ended.si_pid)
        for pid in [pid for pid in self._reports if not _has_group(pid)]:
            caller = self._callers.pop(pid)
            self._forget(caller)
            _end(caller, self._reports.pop(pid))

    def _count(self, pid: int) -> None:
        """Add what an ended process took to the report of its child, which may be itself, and end what that one started."""
        group = os.getpgid(pid)
        if pid in self._callers:
            _kill(pid)  # its number is not free while one of its group is left
        _, status, usage = os.wait4(pid, 0)
        cpu_seconds, peak_bytes = usage.ru_utime + usage.ru_stime, usage.ru_maxrss * _PEAK_UNIT
        if pid in self._callers:
            self._reports[pid] = Report(os.waitstatus_to_exitcode(status), cpu_seconds, peak_bytes)
        elif group in self._reports:
            report = self._reports[group]
            self._reports[group] = Report(report.code, report.cpu_seconds + cpu_seconds, max(report.peak_bytes, peak_bytes))


def _answer(caller: int, pid: int) -> None:
    with suppress(OSError):
        messages.send_process(caller, pid)


def _end(caller: int, report: Report) -> None:
    with suppress(OSError):
        messages.send_report(caller, report)
    os.close(caller)


def _threads() -> int:
    """The threads of this process, also those that libraries started."""
    import threading  # see `_import_without_hooks`

    return len(os.listdir("/proc/self/task")) if linux.IS_LINUX else threading.active_count()  # noqa: PTH208


def _has_group(pid: int) -> bool:
    """Whether a process is left in the group of this child."""
    try:
        os.killpg(pid, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def _kill(pid: int) -> None:
    """End a child and its group. A child that was just forked has no group yet."""
    for end in (os.kill, os.killpg):
        with suppress(ProcessLookupError, PermissionError):
            end(pid, signal.SIGKILL)


if __name__ == "__main__":
    main(int(sys.argv[1]), *sys.argv[2:])
