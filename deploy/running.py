"""Print commands and, unless this is a plan, run them: side by side within a step, with retries.

A step begins when the one before is complete. Its title is printed above its first command.
"""

import os
import re
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from subprocess import CompletedProcess
from typing import TextIO

from deploy.errors import Failed
from deploy.gcloud import Command, call, shown, workers

#: Transient errors of Google's APIs: a new resource is not visible everywhere yet, or the API is busy. Others are final.
TRANSIENT = [
    r"[Ss]ervice account [^ ]+ does not exist",
    r"Role [^ ]+ does not exist",
    r"iam\.service[Aa]ccounts\.actAs",
    r"not permitted to publish",
    r"does not have permission to publish",
    r"uploadArtifacts",
    r"storage\.objects\.get access",
    r"has not been used in project",
    r"permissions might take a few minutes to propagate",
    r"Cannot find metric",
    r"concurrent policy changes",
    r"version mismatch",
    r"ABORTED",
    r"HTTPError (409|412): .*[Cc]oncurrent",
    r"UNAVAILABLE",
    r"currently unavailable",
    r"[Pp]lease try again",
    r"[Tt]ry again (later|in )",
    r"RESOURCE_EXHAUSTED",
    r"HTTPError (429|503)",
    r"timed out",
]
#: An organisation's policy admits no such member: of other domains, or allUsers. Only the grant is missing; all else goes on.
NOT_ADMITTED = (
    r"do not belong to a permitted customer|constraints/iam\.(allowedPolicyMemberDomains|managed\.allowedPolicyMembers)"
)
ATTEMPTS = 6
RETRY_SECONDS = float(os.environ.get("RETRY_SECONDS", "4"))  # doubled each time: 4 8 16 32 64


def is_transient(error: str) -> bool:
    """Whether an error is worth another attempt."""
    return any(re.search(pattern, error) for pattern in TRANSIENT)


class Runner:
    """Runs and counts the commands of one plan, up or down. Without a pool it only prints them."""

    def __init__(self, pool: ThreadPoolExecutor | None, output: TextIO) -> None:
        self.count = 0
        self.left_out: list[Command] = []  # grants that the organisation refuses
        self.unfinished: list[str] = []  # sentences about other things that are not done
        self._pool = pool
        self._output = output
        self._title = ""
        self._begun: list[Future[str]] = []
        self._lock = threading.Lock()
        self._stopping = threading.Event()

    def step(self, title: str) -> None:
        """Wait for the step before; begin the one of this title."""
        self.wait()
        self._title = title

    def start(self, job: list[Command]) -> None:
        """Run a job's commands, one after the other, beside the other jobs of its step."""
        self._announce()
        if self._pool:
            self._begun.append(self._pool.submit(self._run, job))
        else:
            self._run(job)

    def ask(self, command: Command, planned: str) -> str:
        """Run a command and return the first line of its output; in a plan, return `planned`."""
        self.start([command])
        begun = self._begun[-1:]
        self.wait()
        return begun[0].result().partition("\n")[0] if begun else planned

    def wait(self) -> None:
        """Wait for the jobs of this step. Raises Failed when a command was refused."""
        errors = [error for begun in self._begun if (error := begun.exception())]
        self._begun = []
        for error in errors:
            if not isinstance(error, Failed):
                raise error
            raise Failed("stopped at what was refused above. Mend it, then run the same command again: it goes on from here.")

    def stop(self) -> None:
        """Start no further command; running ones finish."""
        self._stopping.set()

    def _announce(self) -> None:
        if self._title:
            self._print(f"\n# {self._title}")
        self._title = ""

    def _run(self, job: list[Command]) -> str:
        printed = ""
        for command in job:
            if self._stopping.is_set():
                break
            with self._lock:
                self.count += 1
            self._print(shown(command))
            if self._pool:
                printed = self._attempt(command)
        return printed

    def _attempt(self, command: Command) -> str:
        """Run a command and return its output. Raises Failed after a permanent error or the last attempt."""
        attempt, done = self._attempts(command)
        if not done.returncode or harmless(command, done):
            return done.stdout
        if "add-iam-policy-binding" in command and re.search(NOT_ADMITTED, done.stderr):
            self.left_out.append(command)
            return ""
        self._print(f"error: refused, at attempt {attempt}: {shown(command)}\n{done.stderr.rstrip()}", sys.stderr)
        raise Failed("refused")

    def look(self, command: Command) -> "CompletedProcess[str]":
        """The result of a command that changes nothing: it is run in a plan too, and not printed."""
        return self._attempts(command)[1]

    def _attempts(self, command: Command) -> tuple[int, "CompletedProcess[str]"]:
        """The last attempt, and its result: success, a permanent error, or a transient one that stayed."""
        for attempt in range(1, ATTEMPTS + 1):
            done = call(command)
            if not done.returncode or attempt == ATTEMPTS or not is_transient(done.stderr):
                break
            if self._stopping.wait(RETRY_SECONDS * 2 ** (attempt - 1)):
                break
        return attempt, done

    def _print(self, line: str, output: TextIO | None = None) -> None:
        with self._lock:
            print(line, file=output or self._output, flush=True)


def harmless(command: Command, done: "CompletedProcess[str]") -> bool:
    """Whether an error needs no action; prints a note where a person may want to look."""
    if "remove-iam-policy-binding" in command and "Policy binding with the specified principal" in done.stderr:
        return True  # `--no-iap` takes its agent's grant away itself
    if "create" in command and re.search(r"already (exists|own)|ALREADY_EXISTS", done.stderr):
        note = f"it exists already; run up again to compare it: {shown(command[:5])}"
    elif command[2:4] == ["channels", "delete"] and "still being referenced" in done.stderr:
        note = f"it stays, since alerts of others name it: {shown(command)}"
    else:
        return False
    print(f"note: {note}", file=sys.stderr, flush=True)
    return True


@contextmanager
def running() -> Iterator[Runner]:
    """A runner that changes things, for as long as the block lasts."""
    with workers() as pool:
        runner = Runner(pool, sys.stdout)
        try:
            yield runner
        finally:
            runner.stop()
    explain(runner.left_out, runner.unfinished)


def explain(left_out: list[Command], unfinished: list[str]) -> None:
    """Raise Failed for all that was not done, once all else is."""
    sentences = [*([_refused_grants(left_out)] if left_out else []), *unfinished]
    if sentences:
        raise Failed("\n".join(["all else is done.", *sentences]))


def _refused_grants(left_out: list[Command]) -> str:
    grants = "\n".join(f"  {shown(command)}" for command in left_out)
    advice = ""
    if any("--member=allUsers" in command for command in left_out):
        advice = "To open the same services without a grant to allUsers: ./deploy.sh up --no-invoker-iam-check.\n"
    return (
        "A policy of your organisation (constraint iam.allowedPolicyMemberDomains or iam.managed.allowedPolicyMembers) refuses "
        f"these grants:\n{grants}\n{advice}Or have an administrator of the organisation admit these members in this project, "
        "then run up again."
    )
