"""Multipart uploads over the XML API (https://cloud.google.com/storage/docs/xml-api/post-object-multipart)."""

from localcloud.clock import rfc3339
from localcloud.http import Answer, Request, empty_answer
from localcloud.storage.data.store import Store
from localcloud.storage.errors import StorageError, invalid
from localcloud.storage.media import parts
from localcloud.storage.model import MultipartUpload
from localcloud.storage.rules.checksums import claims
from localcloud.storage.rules.conditions import number
from localcloud.storage.rules.intents import header_intent
from localcloud.storage.rules.parameters import MAX_BODY_BYTES
from localcloud.storage.xml.documents import element, group, parse_xml, xml_answer


async def start_upload(store: Store, request: Request, bucket: str, name: str) -> Answer:
    """POST /BUCKET/OBJECT?uploads"""
    identity = store.uploads.start_multipart(header_intent(bucket, name, request.headers), store.clock.time())
    content = (element("Bucket", bucket), element("Key", name), element("UploadId", identity))
    return xml_answer("InitiateMultipartUploadResult", *content)


async def list_uploads(store: Store, _request: Request, bucket: str) -> Answer:
    """GET /BUCKET?uploads"""
    found = (
        group("Upload", element("Key", u.intent.name), element("UploadId", u.id), element("Initiated", rfc3339(u.created)))
        for u in store.uploads.multiparts(bucket)
    )
    return xml_answer("ListMultipartUploadsResult", element("Bucket", bucket), element("IsTruncated", "false"), *found)


async def put_part(store: Store, request: Request, bucket: str, name: str) -> Answer:
    """PUT /BUCKET/OBJECT?partNumber=N&uploadId=ID"""
    upload = _find(store, request, bucket, name)
    part_number = number(request.query, "partNumber") or 0
    part = await parts.put_part(store, upload, part_number, request.body, claims(request.headers))
    hashes = f"crc32c={part.crc32c},md5={part.md5}".encode()
    return empty_answer(200, (b"etag", f'"{parts.hex_md5(part)}"'.encode()), (b"x-goog-hash", hashes))


async def list_parts(store: Store, request: Request, bucket: str, name: str) -> Answer:
    """GET /BUCKET/OBJECT?uploadId=ID"""
    upload = _find(store, request, bucket, name)
    found = (
        group(
            "Part",
            element("PartNumber", str(part.number)),
            element("LastModified", rfc3339(part.created)),
            element("ETag", f'"{parts.hex_md5(part)}"'),
            element("Size", str(part.size)),
        )
        for part in store.uploads.parts(upload.id)
    )
    head = element("Bucket", bucket) + element("Key", name) + element("UploadId", upload.id)
    return xml_answer("ListPartsResult", head, element("IsTruncated", "false"), *found)


async def complete_upload(store: Store, request: Request, bucket: str, name: str) -> Answer:
    """POST /BUCKET/OBJECT?uploadId=ID"""
    upload = _find(store, request, bucket, name)
    # Python's client sends the encoding of the object with this document, too, which is plain.
    document = await request.read(MAX_BODY_BYTES, is_plain=True)
    made = await parts.complete(store, upload, _listed_parts(document), request.base)
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


async def abort_upload(store: Store, request: Request, bucket: str, name: str) -> Answer:
    """DELETE /BUCKET/OBJECT?uploadId=ID"""
    parts.abort(store, _find(store, request, bucket, name))
    return empty_answer(204)


def _find(store: Store, request: Request, bucket: str, name: str) -> MultipartUpload:
    upload = store.uploads.multipart(request.query["uploadId"])
    if (upload.intent.bucket, upload.intent.name) != (bucket, name):
        raise StorageError(404, "notFound", "The upload is for another object.", "NoSuchUpload")
    return upload


def _listed_parts(body: bytes) -> list[tuple[int, str]]:
    """Number and ETag of each part in a CompleteMultipartUpload document; 400 for any other body."""
    listed = parse_xml(body, "CompleteMultipartUpload", "MalformedCompleteMultipartUpload").iterfind("{*}Part")
    try:
        return [(int(part.findtext("{*}PartNumber", "")), (part.findtext("{*}ETag") or "").strip('"')) for part in listed]
    except ValueError:
        raise invalid("PartNumber must be a number.", "MalformedCompleteMultipartUpload") from None
