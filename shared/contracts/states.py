"""The answers of the status service: the state of a file, pages of versions and of members, an explanation."""

from collections.abc import Mapping

from shared.contracts import nouns
from shared.contracts.nouns import FACTS, IDS, MESSAGE, METADATA, REASON, RUN, VERDICTS
from shared.contracts.schemas import TIME, described, listed, pairs, record, ref, text, time, whole, yes_or_no
from shared.model import Json

_STATES = ["accepted", "processing", *VERDICTS]
_AFTER = listed({"type": "string"}, "The steps that it comes after.")
_ERROR = record(
    "The last error of a failed attempt.",
    {
        "message": text("The error."),
        "attempt": whole("The attempt."),
        "delivery": whole("The delivery of its task."),
        "time": time("When it was."),
    },
)
_ALWAYS: Mapping[str, Json] = {
    "step": text("The step's name in pipeline.toml."),
    "recipe_id": IDS["recipe_id"],
    "queue": text("Its queue in pipeline.toml."),
    "after": _AFTER,
    "state": described("Of the step.", enum=["waiting", "queued", "running", "done"]),
}
_QUEUED: Mapping[str, Json] = {
    "deliveries": whole("Number of deliveries of its task."),
    "next": text("When the next delivery is due; of a running step, the current one's time.", format="date-time"),
    "queue_is_paused": yes_or_no("Whether an operator has paused its queue. Only where the step is queued."),
    "answer": text(
        "How the last delivery was answered, as a code of Google APIs. Only where the step is queued again.",
        examples=["PERMISSION_DENIED"],
    ),
    "attempts": whole("The most attempts; then the verdict is `dead`."),
    "error": _ERROR,
}
_OUTPUT = nouns.OUTPUT["properties"] | {
    "url": text("The address of this output: it redirects to a link that downloads it.", format="uri")
}
_RESULT = {
    name: nouns.RESULT["properties"][name] for name in ("verdict", "reason", "message", "facts", "times", "cost", "time")
}
_DONE: Mapping[str, Json] = {
    **_RESULT,
    "adopted": text(nouns.ADOPTED + " Missing instead of empty."),
    "outputs": listed(ref("output"), "The objects that the step stored."),
}
_ATTEMPT = whole(
    "Of a step that is queued or running: the attempts that count so far. Of one that is done: the one that ended it."
)
STEP = record(
    "A step of the plan: its state, and its result once it is done.",
    {**_ALWAYS, "attempt": _ATTEMPT, **_QUEUED, **_DONE},
    optional=("attempt", *_QUEUED, *_DONE),
) | {
    "allOf": [
        {
            "if": {"properties": {"state": {"enum": ["queued", "running"]}}},
            "then": {"required": ["deliveries", "next", "attempt", "attempts"]},
        },
        {"if": {"properties": {"state": {"const": "done"}}}, "then": {"required": ["verdict", "time", "outputs"]}},
    ]
}
STATE = record(
    "The state of a file: one run of one version of an object.",
    {
        "object": text("The object's name.", examples=[nouns.A_NAME]),
        "file_id": IDS["file_id"],
        "job_id": IDS["job_id"],
        "run": RUN,
        "generation": IDS["generation"],
        "size": whole("Bytes."),
        "content_type": text("The media type by which routes match."),
        "crc32c": IDS["crc32c"],
        "metadata": METADATA,
        "state": described(
            "`accepted`: no task has ended yet; `processing`: some have, or a later run began; else the verdict.", enum=_STATES
        ),
        "since": text(
            "When the object was stored, the run was begun, or its latest task ended; empty where that is not known yet.",
            pattern=f"^$|{TIME['pattern']}",
        ),
        "reason": REASON | {"pattern": "", "description": "Only where no step takes the file: why it is not processed."},
        "message": MESSAGE,
        "steps": listed(ref("step"), "The plan: every step of the file."),
        "ignored": listed({"type": "string"}, "Steps and options that the file's metadata ask for and that do not exist."),
        "older": text("Token of the versions before; empty without any."),
    },
    optional=("reason", "message", "ignored", "older"),
)
VERSIONS = record(
    "A page of versions of an object, newest first.",
    {
        "file_id": IDS["file_id"],
        "jobs": listed(ref("state"), "The newest run of each version.", maxItems=10),
        "older": text("Token of the next page; empty on the last one."),
    },
)
_MEMBER = record(
    "A file that was extracted from an archive.",
    {
        "number": whole("Of the member within the archive."),
        "object": text("The object's name."),
        "state": described("As of a file.", enum=_STATES),
        "job_id": IDS["job_id"],
        "size": whole("Bytes."),
        "content_type": text("Its media type."),
        "reasons": listed({"type": "string"}, "Of its steps that did not succeed."),
    },
    optional=("job_id", "size", "content_type"),
)
MEMBERS = record(
    "A page of the files that a job extracted.",
    {
        "job_id": IDS["job_id"],
        "members": listed(_MEMBER, "In the order of their names.", maxItems=50),
        "next": text("Token of the next page; empty on the last one."),
    },
)
_ROUTE = record(
    "A route of pipeline.toml.",
    {
        "route": described("Its number, from 1.", type="integer", minimum=1),
        "content_type": text("Its content types."),
        "name": text("Its patterns over names."),
        "steps": listed({"type": "string"}, "The steps that it adds."),
        "takes": yes_or_no("Whether it takes the file."),
        "failed": text("The first test that the file fails; empty without any."),
        "why": text("In which respect."),
    },
)
_PLANNED = record(
    "A step of the plan.",
    {
        "step": text("Its name."),
        "recipe_id": IDS["recipe_id"],
        "processor": text("Its processor."),
        "options": pairs({}, "All options of the step, with their defaults."),
        "queue": text("Its queue."),
        "stage": whole("Its stage."),
        "after": _AFTER,
        "when": text("Its condition; empty without one."),
        "fault": text("Why the file's own options are refused; empty without a fault."),
    },
)
_USE_NAMES = ("writes", "reads", "tasks", "notice_bytes", "cpu_seconds", "calls", "dollars")
EXPLANATION = record(
    "What would happen to a file of this name. Nothing runs.",
    {
        "object": text("The object's name."),
        "exists": yes_or_no("Whether the uploads bucket has this object now."),
        "content_type": text("The media type that was taken."),
        "size": {"description": "Bytes; null where they are not known.", "type": ["integer", "null"]},
        "metadata": METADATA,
        "verdict": described("Of a file for which there is nothing to do; else empty.", enum=["", "failed", "skipped"]),
        "reason": REASON,
        "message": MESSAGE,
        "routes": listed(_ROUTE, "Every route, and whether it takes the file."),
        "steps": listed(_PLANNED, "The plan."),
        "plan": text("The plan as a drawing."),
        "ignored": STATE["properties"]["ignored"],
        "use": record(
            "The least that a run is billed for.", {name: described("", type="number", minimum=0) for name in _USE_NAMES}
        ),
    },
)
LINK = record("A link that downloads an output.", {"url": text("The signed URL.", format="uri")})
SCHEMAS: Mapping[str, Json] = {
    "state": STATE,
    "step": STEP,
    "output": record(nouns.OUTPUT["description"], _OUTPUT, optional=("facts", "url")),
    "versions": VERSIONS,
    "members": MEMBERS,
    "explanation": EXPLANATION,
    "facts": FACTS,
    "link": LINK,
}
