"""The OpenAPI document of the status service."""

from shared.contracts import openapi
from shared.contracts.nouns import A_FILE_ID, A_JOB_ID
from shared.contracts.openapi import MEDIA_TYPE, NAME, answered, header, operation, parameter
from shared.contracts.schemas import described, ref
from shared.contracts.states import SCHEMAS
from shared.model import Json

PORT = 8084
_TAGGED = {"ETag": header("Changes with the answer."), "Cache-Control": header("Caches ask each time.", const="no-cache")}
_FOUND = {
    "description": "A link that downloads this output, for some minutes. The address stays the same.",
    "headers": {"Location": header("The signed URL.", format="uri"), "Cache-Control": header("Never kept.", const="no-store")},
}
_LINK = parameter(
    "query",
    "link",
    "Answer with the link in JSON: a page's script may not follow a redirect to it.",
    {"type": "string"},
    allowEmptyValue=True,
)
_OR_LINKED = {
    "ETag": header("Changes with the answer; a link has none.") | {"required": False},
    "Cache-Control": header("Caches ask each time; a link is never kept.", enum=["no-cache", "no-store"]),
}
_STATE_OR_LINK = {"anyOf": [ref("state"), ref("link")]}
_UNCHANGED = {"description": "Nothing has changed since the answer with this `ETag`.", "headers": _TAGGED}
_IF_NONE_MATCH = parameter("header", "If-None-Match", "The `ETag` of an answer before.", {"type": "string"})
_OLDER = parameter(
    "query", "older", "A page of the versions before this token.", {"type": "string", "pattern": "^[0-9]{1,18}$"}
)
_MEMBERS = parameter(
    "query",
    "members",
    "A page of the files that this run extracted; empty for the first one.",
    {"type": "string", "maxLength": 1024},
)
_EXPLAINED = [
    parameter(
        "query", "explain", "Explain a file of this name, whether or not it exists.", {"type": "string"}, allowEmptyValue=True
    ),
    parameter(
        "query",
        "content_type",
        "With `explain`: the media type.",
        {"type": "string", "pattern": MEDIA_TYPE, "maxLength": openapi.MAX_TYPE_CHARACTERS},
    ),
    parameter("query", "size", "With `explain`: bytes.", {"type": "integer", "minimum": 0, "maximum": 10**18 - 1}),
    openapi.metadata("query", "With `explain`: custom metadata, a parameter `x-goog-meta-<key>` for each key."),
]
_ID = described("A file id or a job id.", type="string", examples=[A_FILE_ID, A_JOB_ID])
_STEP = parameter("path", "step", "The step's name.", {"type": "string", "minLength": 1}, required=True)
_OUTPUT = parameter("path", "output", "The output's name.", {"type": "string", "minLength": 1}, required=True)


def status() -> Json:
    """The document of the status service."""
    paths = {
        "/objects/{name}": _read(
            "object", "The newest version of an object", [NAME, *_EXPLAINED], ["state", "versions", "members", "explanation"]
        ),
        "/objects/{name}/{step}/{output}": _link(),
        "/jobs/{id}": _read("job", "A version of an object, by id", [_id()], ["state", "versions", "members"]),
    }
    about = "Reports on files: each step's state, verdict and outputs. It reads the buckets and the queues for each request."
    return openapi.document("status", about, PORT, paths, SCHEMAS)


def _id() -> Json:
    return parameter("path", "id", "A file id, a job id, or a job id with `-r<run>`.", _ID, required=True)


def _read(name: str, summary: str, parameters: list[Json], kinds: list[str]) -> Json:
    whole = [*parameters, _OLDER, _MEMBERS, _IF_NONE_MATCH]
    found = {"200": answered("The answer.", {"anyOf": [ref(kind) for kind in kinds]}, _TAGGED), "304": _UNCHANGED}
    if name == "object":
        whole.append(_LINK)
        found["200"] = answered("The answer.", {"anyOf": [ref(kind) for kind in [*kinds, "link"]]}, _OR_LINKED)
        found["302"] = _FOUND | {"description": "The name is the address of an output, with its slashes encoded."}
    return _methods(name, summary, whole, found)


def _link() -> Json:
    found = {
        "302": _FOUND,
        "200": answered("The link, asked for; or an object has this whole name: its state.", _STATE_OR_LINK, _OR_LINKED),
        "304": _UNCHANGED,
    }
    return _methods("output", "Download an output", [NAME, _STEP, _OUTPUT, _LINK, _IF_NONE_MATCH], found)


def _methods(name: str, summary: str, parameters: list[Json], found: dict[str, Json]) -> Json:
    """GET, and HEAD, which answers the same without a body."""
    methods = {"get": summary, "head": f"{summary}, without a body"}
    return {method: operation("status", f"{method}_{name}", about, parameters, found) for method, about in methods.items()}
