"""The nouns that notices and answers share: ids, the file, the recipe, the output, the result of a step."""

from collections.abc import Mapping
from typing import get_args

from shared.console.reasons import REASONS
from shared.contracts.schemas import TIME, described, listed, noun, pairs, record, ref, text, time, whole
from shared.model import File, Json, Output, Recipe, Result, Verdict

VERDICTS = get_args(Verdict)
#: `partial` is a verdict of jobs only.
STEP_VERDICTS = [verdict for verdict in VERDICTS if verdict != "partial"]

_GENERATION = "[1-9][0-9]{0,18}"
_FILE_ID = "[a-z2-7]{26}"
_JOB_ID = f"{_FILE_ID}-{_GENERATION}(-r[1-9][0-9]{{0,8}})?"
#: An example of each, which belong together.
A_NAME = "usid446ic6ldihyfv34h33th7c/notes.txt"
A_FILE_ID = "ggtjgldav6or3p3okc2nl65epo"
A_GENERATION = "1700000000000001"
A_JOB_ID = f"{A_FILE_ID}-{A_GENERATION}"
A_RECIPE_ID = "digest-619a1743"

IDS: Mapping[str, Json] = {
    "file_id": text(
        "26 characters derived from the bucket and the object's name; the same for all versions of the object.",
        pattern=f"^{_FILE_ID}$",
        examples=[A_FILE_ID],
    ),
    "job_id": text(
        "This version of this object: `<file_id>-<generation>`; of a run that an operator began, with `-r<run>`.",
        pattern=f"^{_JOB_ID}$",
        examples=[A_JOB_ID],
    ),
    "generation": text(
        "Cloud Storage's version number of the object. A decimal string.",
        pattern=f"^{_GENERATION}$",
        examples=[A_GENERATION],
    ),
    "crc32c": text(
        "Checksum as Cloud Storage writes it: base64 of four big-endian bytes.",
        pattern="^[A-Za-z0-9+/]{6}==$",
        examples=["309ypA=="],
    ),
    "recipe_id": text(
        "The step made exact: its name and 8 hexadecimal digits, a hash of all that decides its outputs.",
        pattern="^.+-[0-9a-f]{8}$",
        examples=[A_RECIPE_ID],
    ),
}
RUN = whole("0 for the run that the upload began; operators begin later ones.")
METADATA = pairs({"type": "string"}, "The object's custom metadata.")
FACTS = pairs({}, "Findings of the processor. The keys depend on the processor.")
REASON = text(
    "A code for programs; empty where the verdict needs none. The set is open: processors and services add their own.",
    pattern="^([a-z][a-z0-9_]*)?$",
    examples=["", *sorted(REASONS)],
)
MESSAGE = text("A sentence for people. It may change: decide by the verdict and the reason.")
TIMES = record(
    "Times of the work. Only those that the step reached; none for a step that did not run.",
    {
        "begun": time("When the turn of the step came."),
        "fetched": time("When its input was on disk."),
        "worked": time("When the processor had ended."),
        "stored": time("When its outputs were stored."),
    },
    optional=("begun", "fetched", "worked", "stored"),
) | {"additionalProperties": TIME}
COST = record(
    "The work in numbers; empty for a step that did not run.",
    {
        "cpu_seconds": described("CPU time.", type="number", minimum=0),
        "peak_bytes": described("Most memory.", type="number", minimum=0),
        "bytes_in": described("Size of its input.", type="number", minimum=0),
        "bytes_out": described("Size of its outputs together.", type="number", minimum=0),
    },
    optional=("cpu_seconds", "peak_bytes", "bytes_in", "bytes_out"),
) | {"additionalProperties": {"type": "number"}}
ADOPTED = "The job id of the earlier run from which the result was taken; empty when this run worked for it."
ATTEMPT = "The attempt that ended the step, from 1; 0 for a step that did not run, and after many faults of ours."

FILE = noun(
    File,
    "The file: one generation of one object.",
    {
        "bucket": "The uploads bucket.",
        "name": "The object's name.",
        "generation": IDS["generation"],
        "size": "Bytes.",
        "content_type": "The media type as it was stored.",
        "crc32c": IDS["crc32c"],
        "metadata": METADATA,
    },
)
OUTPUT = noun(
    Output,
    "An object that the step stored in the results bucket.",
    {
        "name": "The output's own name, which is the last part of its object's name.",
        "object": "The object's name in the results bucket.",
        "content_type": "Its media type.",
        "size": "Bytes.",
        "crc32c": IDS["crc32c"],
        "facts": FACTS,
    },
)
RECIPE = noun(
    Recipe,
    "The step made exact. Recipes with the same id make the same from the same file.",
    {
        "step": "The step's name in pipeline.toml.",
        "processor": "The processor's name.",
        "version": "The processor's version.",
        "options": "All options of the step, with their defaults.",
        "recipe_id": IDS["recipe_id"],
        "input": "The output that the step works on, `<step>/<output>`; empty for the original file.",
        "made_by": "The recipe id of the step that makes the input; empty for the original file.",
        "cache_control": "`Cache-Control` of the outputs; missing where the step sets none.",
        "copy_metadata": "Whether the outputs have the file's custom metadata; missing where the step does not say.",
    },
)
_RESULT = noun(
    Result,
    "How a step ended.",
    {
        "step": "The step's name in pipeline.toml.",
        "recipe_id": IDS["recipe_id"],
        "verdict": described("How the step ended.", enum=STEP_VERDICTS),
        "reason": REASON,
        "message": MESSAGE,
        "attempt": ATTEMPT,
        "facts": FACTS,
        "outputs": listed(ref("output"), "The objects that the step stored, in the order in which the processor wrote them."),
        "times": TIMES,
        "cost": COST,
        "adopted": ADOPTED,
    },
)
#: Beside the result, manifests have the recipe, and notices the time of the manifest.
RESULT = record(
    _RESULT["description"],
    {**_RESULT["properties"], "recipe": ref("recipe"), "time": time("When the manifest of the step was stored.")},
    optional=(*_RESULT["properties"].keys() - _RESULT["required"], "recipe"),
)
