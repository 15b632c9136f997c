"""The demo: files through three doors and through two stages, one of each kind, sent by the clients of users."""

import asyncio
import json
import os
import shlex
import signal
import time
import urllib.request
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from google.cloud.pubsub_v1 import SubscriberClient
from google.cloud.pubsub_v1.subscriber.message import Message

from local.environment import client_environment
from local.pipeline import ROOT
from local.stack import Stack
from local.summary import lines
from local.usage import ASK_ISSUER, CAT, OTHERS, PICTURES, POST, ROCKET, console, gsutil, on_request
from localcloud.address import PROJECT
from localcloud.errors import CannotRun

NOTICE_SECONDS = 120
JOB_FINISHED = "sluice.job.finished.v1"


class DemoFailed(CannotRun):
    """A door failed, a verdict is not `succeeded`, or a notice is missing."""


async def run(data: Path, offset: int) -> int:
    """Start everything, take each door in turn, print the results, stop everything. Raises `DemoFailed`."""
    started = time.monotonic()
    stack = Stack(data, offset)
    await stack.start()
    try:
        print(f"The local cloud and Sluice's functions are up ({time.monotonic() - started:.1f} s).")
        await _walk(stack)
    finally:
        await stack.stop()
    print(f"\nEvery process is stopped. `make up` starts the same and keeps it running, with the console at {console(stack)}")
    return 0


async def _walk(stack: Stack) -> None:
    shell = _Shell(client_environment(stack.data, stack.ports))
    notices = _Notices(shell.environment["PUBSUB_EMULATOR_HOST"], stack.logs)
    folder, jobs = stack.data / "demo", []
    try:
        for place, take in (("1-bucket", _bucket), ("2-issuer", _issuer), ("3-upload", _upload), ("4-stages", _two_stages)):
            name = await take(shell)
            job, arrived = await notices.of(name)
            # The cloud runs in this event loop: blocking calls to it need another thread.
            created = await asyncio.to_thread(shell.created, name)
            kept = await asyncio.to_thread(shell.keep, job, folder / place)
            _show(job, arrived - created, kept)
            jobs.append(job)
        _show_stages(json.loads(await shell.run(f"curl -sS --fail-with-body $SLUICE_STATUS_URL/objects/{quote(name)}")))
        await _show_kinds(jobs[0], await _other_kinds(shell), shell, notices, folder / "5-kinds")
    finally:
        await asyncio.to_thread(notices.close)


async def _bucket(shell: "_Shell") -> str:
    print("\n1. straight into the bucket")
    name = f"{_folder()}/{CAT.name}"
    await shell.run(f"{shlex.quote(gsutil())} -q cp {CAT} gs://uploads/{name}")
    return name


async def _issuer(shell: "_Shell") -> str:
    print("\n2. a signed URL from the issuer")
    ticket = json.loads(await shell.run(ASK_ISSUER))
    await shell.run(ticket["curl"], ROOT / PICTURES)
    return str(ticket["object"])


async def _upload(shell: "_Shell") -> str:
    print("\n3. a POST to the Upload Service, of a large picture")
    answer = json.loads(await shell.run(POST))
    return str(answer["object"])


async def _two_stages(shell: "_Shell") -> str:
    print("\n4. a step on request, after another one and in a queue and a pool of its own: two stages")
    name = f"{_folder()}-two-stages/{ROCKET.name}"
    await shell.run(f"{on_request()} {ROCKET} gs://uploads/{name}")
    return name


async def _other_kinds(shell: "_Shell") -> list[str]:
    print("\n5. a document, a table and a text, at once")
    folder = f"{_folder()}-kinds"
    await shell.run(f"{shlex.quote(gsutil())} -q cp {' '.join(map(str, OTHERS))} gs://uploads/{folder}/")
    return [f"{folder}/{path.name}" for path in OTHERS]


async def _show_kinds(picture: Mapping[str, Any], names: list[str], shell: "_Shell", notices: "_Notices", folder: Path) -> None:
    """A line for one file of each kind. Raises `DemoFailed`."""
    jobs = [picture, *[(await notices.of(name))[0] for name in names]]
    for job in jobs[1:]:
        await asyncio.to_thread(shell.keep, job, folder)
        _check(job)
    print(f"   kept in  {os.path.relpath(folder)}/\n\nOne file of each kind:")
    for line in lines(jobs):
        print(f"   {line}")


def _folder() -> str:
    return f"demo/{datetime.now():%Y%m%d-%H%M%S}"  # noqa: DTZ005  (a name for people)


def _show(job: Mapping[str, Any], seconds: float, kept: Path) -> None:
    print(f"   object   {job['file']['name']}")
    print(f"   verdict  {job['verdict']}, {seconds * 1000:.0f} ms from upload to notice")
    for step in job["steps"]:
        for output in step["outputs"]:
            facts = output["facts"]
            size = f"{facts['width_px']} × {facts['height_px']} px, " if "width_px" in facts else ""
            print(f"   output   {step['step']}/{output['name']}  {size}{output['size']:,} bytes")
        if step["facts"]:
            print(f"   facts    {step['step']}  {', '.join(f'{name} {_short(fact)}' for name, fact in step['facts'].items())}")
    print(f"   kept in  {os.path.relpath(kept)}/")
    _check(job)


def _check(job: Mapping[str, Any]) -> None:
    if job["verdict"] != "succeeded":
        raise DemoFailed(f"the verdict is {job['verdict']}: {json.dumps(job['steps'], indent=1)}")


def _short(fact: object) -> str:
    return text if len(text := str(fact)) <= 16 else f"{text[:12]}…"


def _show_stages(state: Mapping[str, Any]) -> None:
    for step in state["steps"]:
        after = f", after {', '.join(step['after'])}" if step["after"] else ""
        times = step["times"]
        print(f"   step     {step['step']}  queue {step['queue']}{after}: {times['begun'][11:-1]} to {times['stored'][11:-1]}")


class _Shell:
    """Runs commands in the environment that `python -m local env` prints."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self.environment = {**os.environ, **variables}

    async def run(self, command: str, folder: Path = ROOT) -> str:
        """Print the command, run it, return its output. Raises `DemoFailed`."""
        print("   $", command if len(command) < 150 else command[:147] + "…", flush=True)
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_shell(
            command,
            cwd=folder,
            env=self.environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=pipe,
            stderr=pipe,
            start_new_session=True,  # Ctrl-C reaches this process only, which then kills the whole group
        )
        try:
            output, errors = await process.communicate()
        except asyncio.CancelledError:
            os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
            raise
        if process.returncode:
            raise DemoFailed(f"status {process.returncode}: {output.decode()}{errors.decode()}")
        return output.decode()

    def created(self, name: str) -> float:
        """The time at which the upload became an object, in seconds since the epoch."""
        url = f"{self.environment['STORAGE_EMULATOR_HOST']}/storage/v1/b/uploads/o/{quote(name, safe='')}"
        with urllib.request.urlopen(url) as answer:  # noqa: S310
            return datetime.fromisoformat(json.load(answer)["timeCreated"]).timestamp()

    def keep(self, job: Mapping[str, Any], folder: Path) -> Path:
        """Copy every output of the job out of the results bucket into a folder."""
        for step, output in ((each["step"], output) for each in job["steps"] for output in each["outputs"]):
            (folder / step).mkdir(parents=True, exist_ok=True)
            place = f"storage/v1/b/results/o/{quote(output['object'], safe='')}?alt=media"
            with urllib.request.urlopen(f"{self.environment['STORAGE_EMULATOR_HOST']}/{place}") as answer:  # noqa: S310
                (folder / step / output["name"]).write_bytes(answer.read())
        return folder


class _Notices:
    """The job notices of the `completions` subscription, by the object's name, with their times of arrival."""

    def __init__(self, emulator: str, logs: Path) -> None:
        os.environ["PUBSUB_EMULATOR_HOST"] = emulator
        self._logs = logs
        self._loop = asyncio.get_running_loop()
        self._arrived: dict[str, asyncio.Future[tuple[dict[str, Any], float]]] = {}
        self._subscriber = SubscriberClient()
        path = f"projects/{PROJECT}/subscriptions/completions"
        self._pull = self._subscriber.subscribe(path, self._take)

    async def of(self, name: str) -> tuple[dict[str, Any], float]:
        """The job notice for this object and its time of arrival. Raises `DemoFailed` when it is missing."""
        try:
            return await asyncio.wait_for(self._future(name), NOTICE_SECONDS)
        except TimeoutError:
            raise DemoFailed(f"no notice for {name} within {NOTICE_SECONDS} s; see the logs in {self._logs}") from None

    def close(self) -> None:
        """Stop pulling."""
        self._pull.cancel()
        self._pull.result()
        self._subscriber.close()

    def _take(self, message: Message) -> None:
        if message.attributes["ce-type"] == JOB_FINISHED:
            self._loop.call_soon_threadsafe(self._set, message.attributes["name"], json.loads(message.data), time.time())
        message.ack()

    def _set(self, name: str, job: dict[str, Any], arrived: float) -> None:
        if not self._future(name).done():  # a repeated notice has the same content
            self._future(name).set_result((job, arrived))

    def _future(self, name: str) -> "asyncio.Future[tuple[dict[str, Any], float]]":
        return self._arrived.setdefault(name, self._loop.create_future())
