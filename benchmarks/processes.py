"""CPU seconds of the processes of the stack."""

from contextlib import suppress

import psutil


def cpu_seconds(pid: int) -> dict[str, float]:
    """User and system seconds by function, and `cloud` for the local cloud itself.

    The sandbox of a processor counts as its own, with the children that have ended.
    """
    spent: dict[str, float] = {}
    root = psutil.Process(pid)
    for process in [root, *root.children(recursive=True)]:
        with suppress(psutil.NoSuchProcess):  # a step's child has just ended: its time is among the zygote's
            times = process.cpu_times()
            name, ended = _name(process), times.children_user + times.children_system
            spent[name] = spent.get(name, 0.0) + times.user + times.system + (ended if _is_zygote(process) else 0)
    return spent


def _name(process: psutil.Process) -> str:
    command = process.cmdline()
    if _is_zygote(process):
        return "processor"
    return command[command.index("--target") + 1] if "--target" in command else "cloud"


def _is_zygote(process: psutil.Process) -> bool:
    return "shared.sandbox.zygote" in process.cmdline()
