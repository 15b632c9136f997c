"""`python -m local hostile DIR`: sends a folder of files through the running stack, and prints how each ended.

It fails when a file has no verdict or a step that is `dead`, and when a process of a service ended meanwhile.
"""

import mimetypes
import os
import socket
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from google.cloud.storage import Bucket, Client
from requests import RequestException

from local import pipeline, services
from local.environment import DATA, client_environment
from local.processes import Process, Watch
from localcloud.address import HOST, PROJECT, Ports
from localcloud.cli.command import command_line
from localcloud.errors import CannotRun
from shared import cloud, naming
from shared.cloud.protocols import Cloud
from shared.errors import Unavailable
from shared.index import VERDICTS
from shared.manifest import Manifest
from shared.model import Json
from shared.operations import cost, listing, parallel
from shared.operations.listing import Query

POLL_SECONDS = 1.0
#: Rows of the lists of the slowest and the largest files.
TOP = 5
MIB = 1 << 20
NO_VERDICT = "(none)"
#: The reason of a step that is `dead`. Where others of its file succeeded, the file is `partial`.
USED_UP = "attempts_used_up"


@dataclass(frozen=True, slots=True)
class Ended:
    """How a file ended and what it took: wall and CPU seconds of all its steps, bytes of memory of the largest one."""

    name: str
    verdict: str = NO_VERDICT
    reason: str = ""
    seconds: float = 0
    cpu_seconds: float = 0
    peak_bytes: int = 0


def run(folder: Path, data: Path, offset: int, deadline_seconds: float) -> int:
    """Send the files, wait for their verdicts, print them; gives the exit status. Raises `CannotRun`."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    if not files:
        raise CannotRun(f"{folder} holds no file; name a folder with files to send")
    ports = Ports(offset)
    _require_running(data, ports)
    os.environ.update(client_environment(data, ports))
    watch = Watch({one.port_at(ports): one.name for one in services.services(pipeline.load())})
    before = watch.look()
    try:
        ended = _send_and_wait(folder, files, watch, deadline_seconds)
    except (Unavailable, RequestException) as error:
        raise CannotRun(f"the local cloud stopped answering; see the terminal of make up: {error}") from error
    except OSError as error:
        raise CannotRun(f"{error.filename}: {error.strerror}; make it readable, or take it out of the folder") from error
    after = watch.look()
    print("\n".join([*_report(ended), "", *_memory(before, after)]))
    found = list(faults(ended, watch.ended(), deadline_seconds))
    print("\n".join(["", *(found or [f"{len(ended)} files have their verdicts, and every service process lived on"])]))
    return 1 if found else 0


def _require_running(data: Path, ports: Ports) -> None:
    try:
        socket.create_connection((HOST, ports.storage), timeout=3).close()
    except OSError:
        up = command_line("local", "up", None if data == DATA else data, ports.offset)
        raise CannotRun(f"no stack runs on port {ports.storage}; start it in another terminal: {up}") from None


def _send_and_wait(folder: Path, files: Sequence[Path], watch: Watch, deadline_seconds: float) -> list[Ended]:
    connected = cloud.connect()
    since = int(time.time() * 1e6)
    prefix = f"hostile/{datetime.now():%Y%m%d-%H%M%S}/"  # noqa: DTZ005  (a name for people)
    names = {prefix + _object_name(path, folder): path for path in files}
    print(f"sending {len(files)} files to gs://uploads/{prefix}", flush=True)
    bucket = Client(project=PROJECT).bucket("uploads")
    for _ in parallel.each(lambda name: _send(bucket, name, names[name]), names):
        pass
    query = Query(VERDICTS, since, f"{prefix}**")
    _wait(query, len(names), connected, watch, deadline_seconds)
    return list(_ended(names, prefix, query, connected))


def _object_name(path: Path, folder: Path) -> str:
    name = path.relative_to(folder).as_posix()
    if not naming.is_possible(name):
        raise CannotRun(f"{str(path)!r:.200} cannot be the name of an object; rename it")
    return name


def _send(bucket: Bucket, name: str, path: Path) -> None:
    """`picture.png.gz` is sent as image/png with Content-Encoding gzip, as `gsutil cp -Z` does."""
    content_type, encoding = mimetypes.guess_type(path.name)
    blob = bucket.blob(name)
    blob.content_encoding = encoding
    blob.upload_from_filename(str(path), content_type=content_type or "application/octet-stream", if_generation_match=0)


def _wait(query: Query, count: int, connected: Cloud, watch: Watch, seconds: float) -> None:
    """Return when this many files have their verdicts, or after the deadline."""
    deadline = time.monotonic() + seconds
    while sum(1 for _ in listing.jobs(query, connected)) < count and time.monotonic() < deadline:
        watch.look()
        time.sleep(POLL_SECONDS)


def _ended(names: Iterable[str], prefix: str, query: Query, connected: Cloud) -> Iterator[Ended]:
    jobs = {job.name: job for job in listing.jobs(query, connected)}
    took = _took(cost.manifests(query, connected))
    for name in names:
        found = took.get(name, Ended(name))
        if job := jobs.get(name):
            found = replace(found, verdict=job.verdict, reason=job.reason)
        yield replace(found, name=name.removeprefix(prefix))


def _took(manifests: Iterable[Manifest]) -> dict[str, Ended]:
    """The time and memory of each file by its manifests."""
    took: dict[str, Ended] = {}
    for manifest in manifests:
        name = manifest.run.file.name
        for step in manifest.steps:
            took[name] = _plus(took.get(name, Ended(name)), step.get("times", {}), step.get("cost", {}))
    return took


def _plus(ended: Ended, times: Mapping[str, str], spent: Json) -> Ended:
    seconds = 0.0
    if "worked" in times:
        begun, worked = (datetime.fromisoformat(times[key]) for key in ("fetched", "worked"))
        seconds = (worked - begun).total_seconds()
    return replace(
        ended,
        seconds=ended.seconds + seconds,
        cpu_seconds=ended.cpu_seconds + float(spent.get("cpu_seconds", 0)),
        peak_bytes=max(ended.peak_bytes, int(spent.get("peak_bytes", 0))),
    )


def _report(ended: Sequence[Ended]) -> Iterator[str]:
    yield from _table(ended)
    for title, key in (("slowest", lambda one: one.seconds), ("largest", lambda one: one.peak_bytes)):
        yield from ("", f"The {title}:")
        yield from _table(sorted(ended, key=key, reverse=True)[:TOP])


def _table(ended: Sequence[Ended]) -> Iterator[str]:
    widest = max(len(one.reason) for one in ended)
    yield f"{'VERDICT':11}{'REASON':{max(widest, 6)}}  SECONDS     CPU     MIB  NAME"
    for one in ended:
        figures = f"{one.seconds:7.2f} {one.cpu_seconds:7.2f} {one.peak_bytes / MIB:7.0f}"
        name = one.name if one.name.isprintable() else ascii(one.name)
        yield f"{one.verdict:11}{one.reason:{max(widest, 6)}}  {figures}  {name}"


def _memory(before: Mapping[Process, int], after: Mapping[Process, int]) -> Iterator[str]:
    yield f"{'PROCESSOR':36}{'BEFORE':>8}{'AFTER':>8}  (MiB of memory)"
    for process in dict.fromkeys([*before, *after]):
        if process.service.startswith("processor"):
            sizes = (f"{found[process] / MIB:.0f}" if process in found else "-" for found in (before, after))
            yield f"{process!s:36}" + "".join(f"{size:>8}" for size in sizes)


def faults(ended: Iterable[Ended], processes: Iterable[Process], deadline_seconds: float) -> Iterator[str]:
    """The reasons why a run of these files failed; `processes` are those of the services that ended. Pure."""
    for one in ended:
        if one.verdict == NO_VERDICT:
            yield f"no verdict within {deadline_seconds:g} s: {one.name!r}"
        elif one.verdict == "dead" or USED_UP in one.reason.split(","):
            yield f"a step is dead, which is no fault of the file: {one.name!r}; ./sluice ls --reason {USED_UP} has the error"
    for process in processes:
        yield f"a service process ended: {process}; see its log in .local/logs"
