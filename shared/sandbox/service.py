"""Runs one step in a child of the zygote, and watches its time and its files."""

import itertools
import select
import signal
import socket
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

from shared import log, processors
from shared.errors import BadConfiguration, ProcessorFailed, Unavailable
from shared.model import Limits, Recipe
from shared.processors import programs
from shared.processors.registry import NO_ASSETS
from shared.sandbox import child, confinement, messages, outcome
from shared.sandbox.connection import Zygote, ZygoteDied
from shared.sandbox.folders import Folders
from shared.sandbox.messages import Call, Report
from shared.sandbox.outcome import Ran
from shared.sandbox.room import Room, Share, Turns
from shared.sandbox.watch import Watch

#: Between two looks at the files of a child.
WATCH_SECONDS = 0.05
#: From the signal to the end of a child; a zygote that takes longer is ended too.
KILL_SECONDS = 10
#: A step that runs alone takes at most twice as long as beside others, and this much.
ALONE_SECONDS = 5


class Sandbox:
    """Runs steps in children that cannot hurt the service."""

    def __init__(self, names: Iterable[str], room_bytes: int, programs_folder: str = "") -> None:
        """`names` are the processors that are loaded in advance; `room_bytes` is the memory for deliveries together.

        `programs_folder` has the programs that processors start; see `shared.processors.programs`.
        """
        self._names = tuple(names)
        self._programs_folder = programs_folder
        self._room = Room(room_bytes)
        self._turns = Turns()
        self._folders = Folders()
        self._lock = threading.Lock()
        self._zygote: Zygote | None = None

    def announce(self) -> None:
        """Log whether this host enforces all of it. A weaker sandbox is never silent."""
        if missing := confinement.missing():
            log.warning("the sandbox is weaker on this host", missing=", ".join(missing))
        else:
            log.info("the sandbox is complete")

    def prepare(self) -> None:
        """Start the zygote without waiting for it, where a processor is to be loaded in advance."""
        with self._lock:
            if self._names:
                self._running()

    @property
    def zygote_pid(self) -> int | None:
        """The process id of the zygote; None before the first step."""
        return self._zygote.pid if self._zygote else None

    def stop(self) -> None:
        """End the zygote and all running steps."""
        with self._lock:
            if self._zygote:
                self._zygote.stop()

    def reserved(self, wanted_bytes: int) -> AbstractContextManager[Share]:
        """Memory for one delivery: its files and its steps. Raises `Unavailable` when none is free in time."""
        return self._room.reserved(wanted_bytes)

    def folder(self) -> AbstractContextManager[Path]:
        """A folder for one delivery, deleted at its end; if this process is killed, by the next one."""
        return self._folders.new()

    def run(self, recipe: Recipe, source: Path, folder: Path, limits: Limits, assets: Mapping[str, Path] = NO_ASSETS) -> Ran:
        """Apply the recipe to the file at `source`, in an empty folder. The child may read the assets too.

        A step that crashed or ran out of memory runs once more, alone, in its time that is left. Raises `Unavailable` for a recipe
        of another release, as the queues hold tasks of both during a rollout, and when another step runs alone for long.
        """
        exact = checked(recipe)
        paths = programs.find(processors.find(exact.processor).programs, self._programs_folder)
        call = Call(exact, str(source), str(folder), limits, _as_texts(assets), _as_texts(paths))
        tries = (folder / str(number) for number in itertools.count(1))
        with self._turns.shared():
            started = time.monotonic()
            ran = self._run(call, tries)
        if not ran.is_worth_another:
            return ran
        ended = time.monotonic()
        # Others wait meanwhile: a file that crashes at once must not hold them up for all of its seconds.
        deadline = min(started + limits.seconds, ended + 2 * (ended - started) + ALONE_SECONDS)
        log.warning("a step runs once more, alone", step=recipe.step, reason=str(ran.outcome))
        with self._turns.alone(deadline - ended) as is_alone:
            if not is_alone:
                return ran.unrepeated()
            left = max(1, int(deadline - time.monotonic()))
            return ran.and_then(self._run(replace(call, limits=replace(limits, seconds=left)), tries))

    def _run(self, call: Call, folders: Iterator[Path]) -> Ran:
        """Run in the next folder; once more if the zygote dies, which need not be this file's doing."""
        for folder in itertools.islice(folders, 2):
            folder.mkdir()
            (folder / child.OUTPUTS).mkdir()
            here = replace(call, folder=str(folder))
            try:
                ran = self._once(here)
            except ConnectionError:
                log.warning("the zygote ended; it is started again", step=call.recipe.step)
                continue
            _log_output(here)
            return ran
        return Ran(0, 0, ProcessorFailed("the zygote ended twice while this step ran"))

    def _once(self, call: Call) -> Ran:
        with self._lock:
            zygote = self._running()
        try:
            with zygote.call(call) as channel:
                report, limit = _watch(channel, watch := Watch(call), call.limits.seconds)
        except ConnectionError:
            zygote.stop()  # it may stand still, or be about to end
            raise
        ended = outcome.stopped(limit, call.limits) if limit else outcome.read(call, report)
        is_killed = not limit and report.code == -signal.SIGKILL
        return Ran(report.cpu_seconds, max(report.peak_bytes, watch.peak_bytes), ended, is_killed)

    def _running(self) -> Zygote:
        if self._zygote is None or not self._zygote.is_running:
            used = [processors.find(name) for name in self._names]
            self._zygote = Zygote({one.name: one.work.__module__ for one in used})
        return self._zygote


def checked(recipe: Recipe) -> Recipe:
    """The recipe with the options of this release. Raises `Unavailable` for one that this release cannot run."""
    try:
        options = processors.find(recipe.processor).check(recipe.options)
    except BadConfiguration as error:
        raise Unavailable(f"this release cannot run recipe {recipe.recipe_id}: {error.message}") from error
    return replace(recipe, options=options)


def _as_texts(paths: Mapping[str, Path]) -> dict[str, str]:
    return {name: str(path) for name, path in paths.items()}


def _watch(channel: socket.socket, watch: Watch, seconds: int) -> tuple[Report, str]:
    """Wait for the child's end, and stop it at a limit. The text is its reason, or empty. Raises `ConnectionError`."""
    poll = select.poll()
    poll.register(channel, select.POLLIN)
    process: int | None = None
    limit, deadline = "", time.monotonic() + seconds
    while True:
        if poll.poll(WATCH_SECONDS * 1000):
            if process is not None:
                return messages.receive_report(channel), limit
            process = messages.receive_process(channel)
            continue
        is_late = time.monotonic() > deadline
        if limit:
            if is_late:
                raise ZygoteDied
        elif limit := "limit_time" if is_late else watch.reached(process or 0):
            deadline = time.monotonic() + KILL_SECONDS
            channel.shutdown(socket.SHUT_WR)


def _log_output(call: Call) -> None:
    if text := outcome.printed(call):
        log.warning("a library wrote to its error output", step=call.recipe.step, text=text)
