"""Multipart uploads over the XML API: requests and answers (https://cloud.google.com/storage/docs/xml-api/post-object-multipart)."""

from collections.abc import Awaitable, Callable
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from localcloud.clock import rfc3339
from localcloud.storage.data.parts import Parts, hex_md5
from localcloud.storage.errors import StorageError, invalid
from localcloud.storage.http import Answer, Request, empty_answer
from localcloud.storage.media import checksums
from localcloud.storage.media.uploads import Intent
from localcloud.storage.rules.conditions import number

QUERY = {"uploads", "uploadId", "partNumber"}
_NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"


def start(parts: Parts, intent: Intent) -> Answer:
    """POST ?uploads"""
    return xml_answer(
        "InitiateMultipartUploadResult",
        element("Bucket", intent.bucket),
        element("Key", intent.name),
        element("UploadId", parts.start(intent)),
    )


async def continue_upload(parts: Parts, request: Request, bucket: str, name: str) -> Answer:
    """Any request with `uploadId`."""
    identity = request.query.get("uploadId", "")
    intent = parts.find(identity).intent
    if (intent.bucket, intent.name) != (bucket, name):
        raise StorageError(404, "notFound", "The upload is for another object.", "NoSuchUpload")
    if request.method not in HANDLERS:
        raise StorageError(405, "methodNotAllowed", f"Method {request.method[:20]!r}.", "MethodNotAllowed")
    return await HANDLERS[request.method][1](parts, request, identity)


def list_uploads(parts: Parts, bucket: str) -> Answer:
    """GET ?uploads of a bucket."""
    found = (
        group("Upload", element("Key", u.intent.name), element("UploadId", u.id), element("Initiated", rfc3339(u.created)))
        for u in parts.uploads(bucket)
    )
    return xml_answer("ListMultipartUploadsResult", element("Bucket", bucket), element("IsTruncated", "false"), *found)


def xml_answer(name: str, *content: str, status: int = 200) -> Answer:
    """An answer whose body is one XML element."""
    body = f"<?xml version='1.0' encoding='UTF-8'?><{name} xmlns='{_NAMESPACE}'>{''.join(content)}</{name}>"
    return Answer(status, [(b"content-type", b"application/xml; charset=UTF-8")], body.encode("utf-8", "replace"))


async def _put(parts: Parts, request: Request, identity: str) -> Answer:
    part = await parts.put(identity, number(request.query, "partNumber") or 0, request.body, checksums.claims(request.headers))
    hashes = f"crc32c={part.crc32c},md5={part.md5}".encode()
    return empty_answer(200, (b"etag", f'"{hex_md5(part)}"'.encode()), (b"x-goog-hash", hashes))


async def _complete(parts: Parts, request: Request, identity: str) -> Answer:
    made = await parts.complete(identity, _wanted(await request.read()), request.base)
    answer = xml_answer(
        "CompleteMultipartUploadResult",
        element("Location", f"{request.base}{request.path}"),
        element("Bucket", made.bucket),
        element("Key", made.name),
        element("ETag", f'"{made.generation}-{made.metageneration}"'),
    )
    answer.headers.append((b"x-goog-generation", str(made.generation).encode()))
    answer.headers.append((b"x-goog-hash", f"crc32c={made.crc32c}".encode()))
    return answer


async def _abort(parts: Parts, _request: Request, identity: str) -> Answer:
    parts.abort(identity)
    return empty_answer(204)


async def _list(parts: Parts, _request: Request, identity: str) -> Answer:
    intent = parts.find(identity).intent
    found = (
        group(
            "Part",
            element("PartNumber", str(part.number)),
            element("LastModified", rfc3339(part.created)),
            element("ETag", f'"{hex_md5(part)}"'),
            element("Size", str(part.size)),
        )
        for part in parts.parts(identity)
    )
    head = element("Bucket", intent.bucket) + element("Key", intent.name) + element("UploadId", identity)
    return xml_answer("ListPartsResult", head, element("IsTruncated", "false"), *found)


def _wanted(body: bytes) -> list[tuple[int, str]]:
    """Number and ETag of every part that CompleteMultipartUpload lists."""
    try:
        # The body's length is limited, and expat itself refuses entities that grow without end.
        parts = ElementTree.fromstring(body).iterfind("{*}Part")  # noqa: S314
        return [(int(part.findtext("{*}PartNumber", "")), (part.findtext("{*}ETag") or "").strip('"')) for part in parts]
    except (ElementTree.ParseError, ValueError):
        raise invalid("The body is not a CompleteMultipartUpload document.", "MalformedCompleteMultipartUpload") from None


def element(name: str, text: str) -> str:
    """`<name>text</name>`"""
    return f"<{name}>{escape(text)}</{name}>"


def group(name: str, *elements: str) -> str:
    """Elements within another one."""
    return f"<{name}>{''.join(elements)}</{name}>"


#: Method, what it does, and what answers it.
HANDLERS: dict[str, tuple[str, Callable[[Parts, Request, str], Awaitable[Answer]]]] = {
    "PUT": ("PUT part", _put),
    "POST": ("POST uploadId (complete a multipart upload)", _complete),
    "DELETE": ("DELETE uploadId (abort a multipart upload)", _abort),
    "GET": ("GET uploadId (list parts)", _list),
}
