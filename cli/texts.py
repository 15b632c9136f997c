"""Answers about one file as text, for people. Pure."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from cli import table
from cli.table import Column, field, printable
from cli.times import due, short
from shared.model import Json

#: The most characters of a list in a table; the JSON has all of it.
MAX_LIST = 40


def of_file(answer: Json, now: datetime, found: Sequence[str] = ()) -> str:
    """The runs of a file, newest first, with steps and outputs; or older generations. `found` is about the newest."""
    runs = answer["runs"] if "runs" in answer else answer["jobs"]
    blocks = ["\n".join(_run(run, now)) for run in runs]
    blocks[1:1] = ["\n".join(f"  {line}" for line in found)] if found else []
    more = [f"older generations: --older {answer['older']}"] if answer["older"] else []
    return "\n\n".join([*blocks, *more])


def outputs(answer: Json, bucket: str) -> Iterator[str]:
    """The addresses of all outputs in the answer, for gsutil, each once."""
    runs = answer["runs"] if "runs" in answer else answer["jobs"]
    found = (output["object"] for run in runs for step in run["steps"] for output in step.get("outputs", ()))
    yield from dict.fromkeys(f"gs://{bucket}/{name}" for name in found)


def of_explanation(answer: Json, width: int) -> str:
    """The routes with their tests, the plan, and its price, for a terminal of this width; 0 elsewhere."""
    size = "" if answer["size"] is None else f", {answer['size']:,} bytes"
    exists = "" if answer["exists"] else ", not uploaded"
    head = f"{printable(answer['object'])}: {answer['content_type']}{size}{exists}"
    use = answer["use"]
    price = f"a run: at least {use['calls']:,} calls, ${use['dollars']:.6f} at list prices, outputs and CPU time not counted"
    end = f"{answer['verdict']}, {answer['reason']}: {answer['message']}" if answer["verdict"] else price
    routes = "\n".join(table.lines(answer["routes"], ROUTES, width))
    ignored = [f"ignored metadata: {printable(why)}" for why in answer["ignored"]]
    plan = [printable_lines(answer["plan"])] if answer["steps"] else []
    return "\n\n".join([head, routes, *plan, "\n".join([end, *ignored])])


def printable_lines(text: str) -> str:
    """The text with its control characters escaped, but for its line breaks."""
    return "\n".join(map(printable, text.splitlines()))


def _run(run: Json, now: datetime) -> Iterator[str]:
    yield f"{printable(run['object'])}: {run['content_type']}, {run['size']:,} bytes, generation {run['generation']}"
    why = f", {run['reason']}: {run['message']}" if run.get("reason") and run.get("message") else ""
    since = f" since {short(run['since'])}" if run["since"] else ""
    yield f"run {run['run']}: {run['state']}{since}{why}, job {run['job_id']}"
    remedy = run.get("remedy") or {}
    if run["steps"]:
        yield from (f"  {line}" for line in table.lines(run["steps"], _steps(now, remedy.get("steps", ()))))
    if remedy:
        yield f"  {printable(': '.join(filter(None, (remedy['when'], ' && '.join(remedy['commands'])))))}"
    for output in (output for step in run["steps"] for output in step.get("outputs", ())):
        yield f"  {printable(output.get('url', output['object']))}  {output['content_type']}, {output['size']:,} bytes"


def _state(step: Json) -> str:
    return str(step["verdict"] if step["state"] == "done" else step["state"])


def _seconds(step: Json) -> str:
    """The time from the begin of a step to the last that it came to; its outputs are stored last."""
    times = step.get("times") or {}
    if "begun" not in times:
        return ""
    return f"{(datetime.fromisoformat(max(times.values())) - datetime.fromisoformat(times['begun'])).total_seconds():.1f}"


def _cpu(step: Json) -> str:
    cost = step.get("cost") or {}
    return f"{cost['cpu_seconds']:.2f}" if "cpu_seconds" in cost else ""


def _attempt(step: Json) -> str:
    attempt = step.get("attempt") or ""
    return f"{attempt} of {step['attempts']}" if attempt and "attempts" in step else str(attempt)


def _why(step: Json, now: datetime, lost: Sequence[str]) -> str:
    """The reason of a step that did not succeed, or the state of one in work."""
    parts = [step.get("reason", ""), step.get("message", "")]
    parts += ["its queue has no task of it yet"] if step["step"] in lost else []
    parts += [f"from {step['adopted']}"] if step.get("adopted") else []
    if step["state"] == "queued":  # a paused queue has no next try
        is_paused = step.get("queue_is_paused")
        parts += ["its queue is paused"] if is_paused else [due(step["next"], now)] if step.get("next") else []
    error = step.get("error", {})
    parts += [f"last error: {error['message']}"] if error else []
    if step.get("answer") and error.get("delivery") != step["deliveries"]:
        parts.append(f"delivery {step['deliveries']} was answered {step['answer']}")
    return ", ".join(filter(None, parts))


def _steps(now: datetime, lost: Sequence[str]) -> tuple[Column, ...]:
    return (
        Column("STATE", _state),
        field("step"),
        field("queue"),
        Column("ATTEMPT", _attempt, is_number=True),
        Column("SECONDS", _seconds, is_number=True),
        Column("CPU", _cpu, is_number=True),
        Column("REASON", lambda step: _why(step, now, lost)),
    )


def _short(texts: str) -> str:
    """The first of these texts, which have commas between them, and the number of the others."""
    if len(texts) <= MAX_LIST:
        return texts
    shown = texts[:MAX_LIST].rpartition(", ")[0] or f"{texts[: MAX_LIST - 1]}…"
    more = texts.count(", ") - shown.count(", ")
    return f"{shown}, {more} more" if more else shown


ROUTES = (
    field("route", is_number=True),
    Column("TAKES IT", lambda row: "yes" if row["takes"] else "no"),
    Column("CONTENT TYPE", lambda row: _short(row["content_type"])),
    Column("NAME", lambda row: _short(row["name"])),
    Column("STEPS", lambda row: ", ".join(row["steps"])),
    field("why"),
)
