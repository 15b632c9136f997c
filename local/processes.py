"""The processes of a running stack's services, from outside: their memory, and whether one ended."""

import itertools
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

import psutil

_ZYGOTE = "shared.sandbox.zygote"


@dataclass(frozen=True, slots=True)
class Process:
    """A process of a service; another one may get its id later. `role` is `service`, `worker` or `sandbox`."""

    service: str
    role: str
    pid: int
    started: float

    def __str__(self) -> str:
        return f"{self.service} {self.role} {self.pid}"


@dataclass
class Watch:
    """The processes of the services, by their ports. The children in which steps run are not among them."""

    services: Mapping[int, str]
    seen: set[Process] = field(default_factory=set)

    def look(self) -> dict[Process, int]:
        """The processes that run now, each with its resident memory in bytes."""
        found = dict(_processes(self.services))
        self.seen |= found.keys()
        return found

    def ended(self) -> list[Process]:
        """The processes that were seen and run no longer."""
        return sorted(self.seen - self.look().keys(), key=str)


def _processes(services: Mapping[int, str]) -> Iterator[tuple[Process, int]]:
    """A worker is forked from the service and has its command line; so has a running step that of the zygote."""
    found = list(psutil.process_iter(["cmdline", "ppid"]))
    names = {one.pid: name for one in found if (name := _service(one.info["cmdline"] or [], services))}
    workers = {one.pid for one in found if one.pid in names and one.info["ppid"] in names}
    for process in found:
        parent = process.info["ppid"]
        if process.pid in names:
            yield from _described(process, names[process.pid], "worker" if process.pid in workers else "service")
        elif parent in workers and _ZYGOTE in (process.info["cmdline"] or []):
            yield from _described(process, names[parent], "sandbox")


def _described(process: psutil.Process, service: str, role: str) -> Iterator[tuple[Process, int]]:
    with suppress(psutil.NoSuchProcess):
        yield Process(service, role, process.pid, process.create_time()), process.memory_info().rss


def _service(command: list[str], services: Mapping[int, str]) -> str:
    """The service that has this command line, or nothing."""
    options = dict(itertools.pairwise(command))
    port = options.get("--port", "")
    return services.get(int(port), "") if "--target" in options and port.isdecimal() else ""
