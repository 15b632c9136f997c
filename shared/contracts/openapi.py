"""The parts that the OpenAPI documents of all services share: the frame, parameters, answers in JSON."""

from collections.abc import Mapping
from typing import Any

from shared.contracts import errors
from shared.contracts.schemas import described, relocated
from shared.model import Json

#: In a browser's and a program's request alike; Cloud Run checks it before Sluice sees the request.
_IDENTITY = {
    "type": "http",
    "scheme": "bearer",
    "bearerFormat": "JWT",
    "description": "An identity token of Google, where Cloud Run admits only accounts with roles/run.invoker.",
}
_CONTROLS = "\\u0000-\\u001f\\u007f-\\u009f\\ufffd"
#: A path whose last component is a file's name: without control characters, and neither `.` nor `..`.
FILE_NAME = rf"^([^{_CONTROLS}]*[/\\])?([^/\\{_CONTROLS}]*[^./\\{_CONTROLS}][^/\\{_CONTROLS}]*|[.]{{3,}})$"
#: A media type with its parameters, as `shared.media.is_valid` takes it (RFC 6838, 4.2; RFC 9110, 8.3.1).
_TYPE = "[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}"
_TOKEN = "[A-Za-z0-9!#$%&'*+.^_`|~-]+"  # noqa: S105
_QUOTED = r'"([\t !#-\[\]-~]|\\[\t -~])*"'
MEDIA_TYPE = rf"^{_TYPE}/{_TYPE}([ \t]*;[ \t]*({_TOKEN}=({_TOKEN}|{_QUOTED}))?)*$"
MAX_TYPE_CHARACTERS = 255
METADATA_VALUE = "^[ -~]*$"
METADATA_KEY = _TOKEN
METADATA_NAME = f"^x-goog-meta-{METADATA_KEY}$"


def document(service: str, description: str, port: int, paths: Mapping[str, Json], schemas: Mapping[str, Json]) -> Json:
    """The document of one service, with all that its paths refer to."""
    whole = {
        "openapi": "3.1.0",
        "info": {
            "title": f"Sluice: {service}",
            "version": "1",
            "description": description,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [
            {"url": f"http://127.0.0.1:{port}", "description": "The local stack (make up)."},
            {
                "url": "https://{host}",
                "description": "A deployment: `./deploy.sh status` prints the hosts.",
                "variables": {"host": {"default": f"{service}.example"}},
            },
        ],
        "security": [{}, {"identity_token": []}],
        "paths": dict(paths),
        "components": {
            "schemas": dict(schemas),
            "responses": errors.answers(service),
            "securitySchemes": {"identity_token": _IDENTITY},
        },
    }
    found: Json = relocated(whole, "#/components/schemas/")
    return found


def operation(service: str, name: str, summary: str, parameters: list[Json], answers: Mapping[str, Json], **more: Any) -> Json:
    """An operation of a path: its answers, and every status with which its service refuses requests."""
    refusals = {code: {"$ref": f"#/components/responses/{code}"} for code in errors.answers(service)}
    return {"operationId": name, "summary": summary, "parameters": parameters, **more, "responses": {**answers, **refusals}}


def parameter(place: str, name: str, description: str, schema: Json, *, required: bool = False, **more: Any) -> Json:
    """A parameter of the path, the query or the headers."""
    return {"name": name, "in": place, "required": required, **described(description, schema=schema), **more}


def answered(description: str, schema: Json, headers: Mapping[str, Json] | None = None) -> Json:
    """An answer in JSON."""
    return {"description": description, "headers": dict(headers or {}), "content": {"application/json": {"schema": schema}}}


def header(description: str, **schema: Any) -> Json:
    """A header that an answer always has."""
    return {"required": True, **described(description, schema={"type": "string", **schema})}


def metadata(place: str, description: str) -> Json:
    """Custom metadata: parameters `x-goog-meta-<key>`, of which OpenAPI can only say the form in a query."""
    schema = {
        "type": "object",
        "propertyNames": {"pattern": METADATA_NAME},
        "additionalProperties": {"type": "string", "pattern": METADATA_VALUE},
    }
    return parameter(place, "metadata", description, schema, style="form", explode=True)


IDEMPOTENCY_KEY = parameter(
    "header",
    "Idempotency-Key",
    "A repeated request with the same key and file names stores nothing twice. Use a random value such as a UUID.",
    {"type": "string", "maxLength": 255},
)
NAME = parameter(
    "path",
    "name",
    "A name; percent-encode it. Slashes may stay as they are.",
    {"type": "string", "minLength": 1, "maxLength": 1024},
    required=True,
)
