"""The OpenAPI documents of the doors: the upload service and the issuer."""

from shared.contracts import openapi
from shared.contracts.nouns import A_NAME, IDS
from shared.contracts.openapi import IDEMPOTENCY_KEY, answered, operation, parameter
from shared.contracts.schemas import described, listed, pairs, record, ref, text, time, whole, yes_or_no
from shared.model import Json

UPLOAD_PORT, ISSUER_PORT = 8080, 8081

_OBJECT = text("The object's name in the uploads bucket.", examples=[A_NAME])
_STATUS_URL = text("Where the status service reports on this file.", format="uri")
RECEIPT = record(
    "A stored file. It will be processed; processing has not happened yet.",
    {
        "object": _OBJECT,
        "file_id": IDS["file_id"],
        "job_id": IDS["job_id"],
        "generation": IDS["generation"],
        "size": whole("Bytes."),
        "content_type": text("The media type that was stored and that routes match.", examples=["text/plain"]),
        "crc32c": IDS["crc32c"],
        "status_url": _STATUS_URL,
    },
)
RECEIPTS = record("The receipts of several files.", {"files": listed(ref("receipt"), "In the order of the form.", minItems=2)})
PERMISSION = record(
    "A request that uploads one new object and nothing else. A resumable one starts the upload.",
    {
        "method": described("Of the request.", enum=["PUT", "POST"]),
        "url": text("Signed: the permission. Treat it as a secret.", format="uri"),
        "headers": pairs({"type": "string"}, "Send exactly these headers."),
        "object": _OBJECT,
        "file_id": IDS["file_id"],
        "status_url": _STATUS_URL,
        "expires_at": time("Until when the URL can be used."),
        "curl": text("The same as a command line for a POSIX shell, run in the folder of the file."),
    },
)
_BYTES: Json = {"type": "string", "format": "binary", "minLength": 1}
_FILE_NAME = openapi.NAME | {
    "description": "The file's name; only the last path component is kept. Percent-encode it.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": openapi.FILE_NAME},
}
_HEADERS = (
    "Headers `x-goog-meta-<key>` are custom metadata of every file of the request. `Content-Digest`, `Repr-Digest`, `Content-MD5`, "
    "`Digest` and `x-goog-hash` are compared with the bytes. A body with `Content-Encoding` gzip or deflate is unpacked. "
    "A part of a file (`Content-Range`) is refused."
)
_VALUE: Json = {"type": "string", "pattern": openapi.METADATA_VALUE}
_REPEATED = described(
    "Custom metadata of the files after it; a field replaces an earlier one of the same key.",
    anyOf=[_VALUE, {"type": "array", "items": _VALUE}],
)
_FORM: Json = {
    "type": "object",
    "properties": {"file": listed(_BYTES, "The files, under any field names.", minItems=1)},
    "patternProperties": {openapi.METADATA_NAME: _REPEATED},
    "required": ["file"],
    "additionalProperties": True,
}


def upload() -> Json:
    """The document of the upload service."""
    stored = {"202": answered("The file is stored.", ref("receipt"))}
    several = {
        "202": answered("The file is stored, or all files of the form are.", {"oneOf": [ref("receipt"), ref("receipts")]})
    }
    body = {"required": True, "content": {"application/octet-stream": {"schema": _BYTES}, "*/*": {"schema": _BYTES}}}
    form = {"required": True, "content": {"multipart/form-data": {"schema": _FORM}}}
    named = [_FILE_NAME, IDEMPOTENCY_KEY]
    paths = {
        "/": {"post": _sending("upload_form", "Send files as a form", [IDEMPOTENCY_KEY], several, form)},
        "/{name}": {
            method: _sending(f"{method}_file", "Send a file's bytes", named, stored, body) for method in ("put", "post")
        },
    }
    about = "Stores posted files of up to 32 MiB and has them processed."
    return openapi.document("upload", about, UPLOAD_PORT, paths, {"receipt": RECEIPT, "receipts": RECEIPTS})


def _sending(name: str, summary: str, parameters: list[Json], answers: dict[str, Json], body: Json) -> Json:
    return operation("upload", name, summary, parameters, answers, description=_HEADERS, requestBody=body)


_WANTED: Json = {
    "name": text(
        "File name, at most 255 bytes; only the last path component is kept.",
        minLength=1,
        maxLength=255,
        pattern=openapi.FILE_NAME,
    ),
    "content_type": text(
        "Stored as declared: the upload must send exactly this header.",
        pattern=openapi.MEDIA_TYPE,
        maxLength=openapi.MAX_TYPE_CHARACTERS,
    ),
    "size": described("Bytes; the URL then accepts exactly this size.", type="integer", minimum=1),
    "resumable": yes_or_no("Whether to sign the start of a resumable upload instead of a PUT."),
}


def issuer() -> Json:
    """The document of the issuer."""
    signed = {"200": answered("A signed URL.", ref("permission"))}
    query = [
        *(
            parameter("query", name, schema["description"], schema, required=name in ("name", "content_type"))
            for name, schema in _WANTED.items()
        ),
        openapi.metadata("query", "Custom metadata: a parameter `x-goog-meta-<key>` for each key."),
        IDEMPOTENCY_KEY,
    ]
    pattern = {"pattern": f"^{openapi.METADATA_KEY}$"}
    value = {"type": "string", "pattern": openapi.METADATA_VALUE}
    metadata = {"metadata": pairs(value, "Custom metadata of the object.") | {"propertyNames": pattern}}
    size = {"size": _WANTED["size"] | {"type": ["integer", "null"]}}
    wanted = record("The file to be uploaded.", {**_WANTED, **size, **metadata}, optional=("size", "resumable", "metadata"))
    body = {"required": True, "content": {"application/json": {"schema": wanted | {"additionalProperties": False}}}}
    paths = {
        "/": {
            "get": operation("issuer", "sign_by_query", "Get a signed URL", query, signed),
            "post": operation("issuer", "sign", "Get a signed URL", [IDEMPOTENCY_KEY], signed, requestBody=body),
        }
    }
    about = "Signs URLs, each for the upload of one new object straight to Cloud Storage."
    return openapi.document("issuer", about, ISSUER_PORT, paths, {"permission": PERMISSION})
