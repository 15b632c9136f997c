"""CPU seconds of the processes of the stack."""

import psutil


def cpu_seconds(pid: int) -> dict[str, float]:
    """User and system seconds by function, and `cloud` for the local cloud itself."""
    spent: dict[str, float] = {}
    root = psutil.Process(pid)
    for process in [root, *root.children(recursive=True)]:
        times = process.cpu_times()
        name = _name(process)
        spent[name] = spent.get(name, 0.0) + times.user + times.system
    return spent


def _name(process: psutil.Process) -> str:
    command = process.cmdline()
    return command[command.index("--target") + 1] if "--target" in command else "cloud"
