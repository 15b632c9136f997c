"""The schemas of both notices and of their attributes; `shared.events` cuts the notices from manifests."""

from collections.abc import Mapping

from shared.contracts import nouns
from shared.contracts.schemas import DIALECT, described, listed, record, ref, text, time
from shared.events import JOB_FINISHED, STEP_FINISHED
from shared.model import Json

DEFINITIONS: Mapping[str, Json] = {
    "file": nouns.FILE,
    "output": nouns.OUTPUT,
    "recipe": nouns.RECIPE,
    "result": nouns.RESULT,
}
_JOB: Mapping[str, Json] = {
    "job_id": nouns.IDS["job_id"],
    "file_id": nouns.IDS["file_id"],
    "run": nouns.RUN,
    "file": ref("file"),
}

STEP = record(
    "A step of a file has ended. Data of a CloudEvent. Ignore fields that are not listed: later releases may add some.",
    {**_JOB, **nouns.RESULT["properties"]},
    optional=nouns.RESULT["properties"].keys() - set(nouns.RESULT["required"]),
)
JOB = record(
    "A whole file has ended. Data of a CloudEvent. Ignore fields that are not listed: later releases may add some.",
    {
        **_JOB,
        "verdict": described("The verdict over all steps.", enum=list(nouns.VERDICTS)),
        "reason": nouns.REASON | {"description": "Empty, unless no step takes the file: then the reason."},
        "message": nouns.MESSAGE | {"description": "Empty, unless no step takes the file: then a sentence for people."},
        "time": time("When the last manifest of the job was stored."),
        "steps": listed(
            ref("result"), "The result of each step, in the order of their tasks. Empty if no step takes the file."
        ),
    },
)
#: Kind of notice → its name, and the schema of its data.
KINDS: Mapping[str, tuple[str, Json]] = {STEP_FINISHED: ("step", STEP), JOB_FINISHED: ("job", JOB)}


def document(kind: str) -> Json:
    """The JSON Schema of the data of a notice of this kind, with all that it refers to."""
    name, schema = KINDS[kind]
    defs = DEFINITIONS if name == "job" else {key: DEFINITIONS[key] for key in ("file", "output", "recipe")}
    return {"$schema": DIALECT, "title": kind, **schema, "$defs": dict(defs)}


def attributes(kind: str) -> Json:
    """The attributes of a notice of this kind: those of CloudEvents, and those to filter by."""
    is_step = kind == STEP_FINISHED
    step = {"step": text("The step's name.", examples=["digest"])} if is_step else {}
    verdicts = nouns.STEP_VERDICTS if is_step else nouns.VERDICTS
    event_id = f"{nouns.A_JOB_ID}-{nouns.A_RECIPE_ID}" if is_step else nouns.A_JOB_ID
    properties = {
        "ce-specversion": described("Version of CloudEvents.", const="1.0"),
        "ce-type": described("The kind of notice.", const=kind),
        "ce-source": text("`//storage.googleapis.com/<uploads bucket>`.", examples=["//storage.googleapis.com/uploads"]),
        "ce-subject": text("The job id.", examples=[nouns.A_JOB_ID]),
        "ce-id": text("Unique within the source. A repeated notice has the same one.", examples=[event_id]),
        "ce-time": time("When the step, or the last step of the job, ended."),
        "content-type": described("Of the data.", const="application/json"),
        "verdict": described("The verdict of the step or of the job.", enum=list(verdicts)),
        **step,
        "bucket": text("The uploads bucket.", examples=["uploads"]),
        "name": text("The object's name.", examples=[nouns.A_NAME]),
    }
    return record("Attributes of the Pub/Sub message, all strings.", properties)
