"""The remedy for a run that has no task in its queue: the commands that reach it, in their order. Nothing runs."""

import shlex
from datetime import UTC, datetime, timedelta

from shared import ledger, task_numbers
from shared.cloud.protocols import Cloud
from shared.errors import Transient
from shared.model import File, Json, Run
from shared.sweep_part import QUEUE, WINDOW_DAYS

#: A prefix that is one of these words follows `./sluice backfill begin`.
BACKFILL_COMMANDS = ("begin", "ls", "stop", "resume")


def of(answer: Json, cloud: Cloud, now: datetime) -> Json | None:
    """The remedy for a run, as answers show it, that may be lost; None for one that has ended, waits or runs.

    `steps` could begin, and have no task; a run without any was never planned. `when` is a sentence that `commands` end.
    """
    done = {step["step"] for step in answer["steps"] if step["state"] == "done"}
    steps = [step["step"] for step in answer["steps"] if step["state"] == "waiting" and done.issuperset(step["after"])]
    if answer["state"] not in ("accepted", "processing") or (answer["steps"] and not steps):
        return None
    try:
        return {"steps": steps, **_remedy(answer, cloud, now)}
    except Transient as error:
        return {"steps": [], "when": f"it may be lost, and its remedy cannot be found out: {error.message}", "commands": []}


def _remedy(answer: Json, cloud: Cloud, now: datetime) -> Json:
    run, name, live = _run(answer, cloud), answer["object"], cloud.uploads.find(answer["object"])
    has_original = live is not None and live.generation == run.file.generation
    begun = datetime.fromtimestamp(task_numbers.begun(run, cloud) / 10**6, UTC)
    left = [step for step in answer["steps"] if step["state"] != "done"]
    others = [step["step"] for step in left if step["state"] != "waiting"]
    if now - begun <= timedelta(days=WINDOW_DAYS) and (has_original or run.number):
        first = begun + timedelta(seconds=cloud.settings.sweep_after_seconds)
        return _healed("./sluice sweep", _paused([*_begun_again(answer), *left], cloud), others, first if first > now else None)
    if has_original and run.number:  # which queues it again beside other tasks of the run
        return _healed(_line("rerun", name), _paused([*_begun_again(answer), *left], cloud), [])
    if has_original:
        command = "backfill begin" if name in BACKFILL_COMMANDS else "backfill"
        return _healed(_line(command, name), _paused([*answer["steps"], {"queue": QUEUE}], cloud), others)
    if live is None and run.file.generation == max(ledger.generations(cloud.results, run.file.file_id), default=0):
        return {"when": "its original was deleted; this ends it", "commands": [_line("cancel", name, "")]}
    return {"when": "a newer upload has replaced it: nothing works on it any more, and there is nothing to do", "commands": []}


def _healed(command: str, paused: list[str], others: list[str], first: datetime | None = None) -> Json:
    """The command, and what it waits for: a time, the tasks of `others` that are in their queues, and paused queues."""
    when = [
        "if this stays so",
        *([f"from {first:%Y-%m-%d %H:%M:%S} UTC on"] if first else []),
        *([f"once {' and '.join(others)} ended"] if others else []),
    ]
    resume = [f"./sluice resume {shlex.join(paused)}"] if paused else []
    return {"when": ", ".join(when), "commands": [*resume, command]}


def _begun_again(answer: Json) -> list[Json]:
    """The first steps of a later run, or of one with several first tasks: it goes on there, also where they ended."""
    first = [step for step in answer["steps"] if not step["after"]]
    return first if answer["run"] or len({step["queue"] for step in first}) > 1 else []


def _paused(steps: list[Json], cloud: Cloud) -> list[str]:
    """The queues of these steps that are paused: files of a paused queue are left alone."""
    return [queue for queue in dict.fromkeys(step["queue"] for step in steps) if cloud.queue.state(queue).is_paused]


def _line(command: str, name: str, option: str = "--yes") -> str:
    """The command line for this object; a name may look like an option."""
    quoted = shlex.quote(name)
    words = ["./sluice", command, *([option, "--", quoted] if name.startswith("-") else [quoted, option])]
    return " ".join(filter(None, words))


def _run(answer: Json, cloud: Cloud) -> Run:
    described = ("size", "content_type", "crc32c", "metadata")
    values = {name: answer[name] for name in described}
    file = File(cloud.settings.uploads_bucket, answer["object"], int(answer["generation"]), **values)
    return Run(file, answer["run"])
