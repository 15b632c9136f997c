"""The zygote: a process with the processors' libraries loaded, which forks a child for each call.

It has one thread, as a fork keeps only one. It never sees a file, and it ends with the service: then its channel closes.
"""

import gc
import importlib
import os
import select
import signal
import socket
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass

from shared import processors
from shared.sandbox import child, linux, messages
from shared.sandbox.confinement import Confinement
from shared.sandbox.messages import Call, Report

#: `ru_maxrss` is in KiB on Linux, in bytes on macOS.
_PEAK_UNIT = 1024 if linux.IS_LINUX else 1


def main(descriptor: int, *declared: str) -> None:
    """Prepare processors, and serve calls from the channel with this descriptor until it closes.

    `declared` has the name of a processor, its module, the next name, and so on.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the service decides
    for name, module in zip(declared[::2], declared[1::2], strict=True):
        importlib.import_module(module)
        processors.find(name).prepare()
    _Zygote(socket.socket(fileno=descriptor)).serve()


@dataclass
class _Caller:
    """The service's end of one call."""

    channel: socket.socket
    is_gone: bool = False


class _Zygote:
    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self._confinement = Confinement()
        #: The caller of each running child, by process id.
        self._callers: dict[int, _Caller] = {}
        self._ended, wake = os.pipe()
        for end in (self._ended, wake):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)

    def serve(self) -> None:
        if linux.IS_LINUX:
            linux.prctl(linux.PR_SET_CHILD_SUBREAPER, 1)  # what a child started comes here when the child ends
            linux.prctl(linux.PR_SET_DUMPABLE, 0)  # without Landlock, a child of the same user could write to this memory
        if (threads := _threads()) != 1:
            sys.exit(f"{threads} threads run once all is prepared: import the library that starts them where it is used")
        gc.collect()
        linux.give_back_heap()  # it would come on top of each child's limit
        gc.freeze()  # no child then writes to these objects: their pages stay shared
        gc.disable()
        messages.send(self._channel, {"ready": True})
        while self._turn():
            pass
        for pid in self._callers:
            _kill(pid)

    def _turn(self) -> bool:
        """Wait for events and answer them; False once the service is gone."""
        poll = select.poll()
        pid_of = {caller.channel.fileno(): pid for pid, caller in self._callers.items() if not caller.is_gone}
        for descriptor in (self._channel.fileno(), self._ended, *pid_of):
            poll.register(descriptor, select.POLLIN)
        readable = [descriptor for descriptor, _ in poll.poll()]
        for pid in (pid_of[descriptor] for descriptor in readable if descriptor in pid_of):
            self._callers[pid].is_gone = True  # a caller sends nothing: it hung up
            _kill(pid)
        if self._ended in readable:
            self._reap()
        return self._channel.fileno() not in readable or self._accept()

    def _accept(self) -> bool:
        with suppress(OSError):
            if received := messages.receive(self._channel):
                call, (descriptor,) = received
                self._fork(Call.from_json(call), socket.socket(fileno=descriptor))
                return True
        return False

    def _fork(self, call: Call, channel: socket.socket) -> None:
        zygote = os.getpid()
        try:
            pid = os.fork()
        except OSError:  # no memory or number is free: this call fails, the running ones go on
            with channel, suppress(OSError):
                messages.send(channel, Report(child.UNCONFINED, 0, 0).to_json())
            return
        if pid == 0:
            child.run(call, zygote, self._confinement)
        self._callers[pid] = _Caller(channel)
        with suppress(OSError):
            messages.send(channel, {"pid": pid})

    def _reap(self) -> None:
        with suppress(BlockingIOError):
            os.read(self._ended, 4096)
        with suppress(ChildProcessError):
            while ended := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT):
                caller = self._callers.pop(ended.si_pid, None)
                if caller:
                    _kill(ended.si_pid)  # what it started; its number is not free before the next line
                _, status, usage = os.wait4(ended.si_pid, 0)
                if caller:
                    code = os.waitstatus_to_exitcode(status)
                    report = Report(code, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * _PEAK_UNIT)
                    with caller.channel, suppress(OSError):
                        messages.send(caller.channel, report.to_json())


def _threads() -> int:
    """The threads of this process, also those that libraries started."""
    return len(os.listdir("/proc/self/task")) if linux.IS_LINUX else threading.active_count()  # noqa: PTH208


def _kill(pid: int) -> None:
    """End a child and its group. A child that was just forked has no group yet."""
    for end in (os.kill, os.killpg):
        with suppress(ProcessLookupError, PermissionError):
            end(pid, signal.SIGKILL)


if __name__ == "__main__":
    main(int(sys.argv[1]), *sys.argv[2:])
