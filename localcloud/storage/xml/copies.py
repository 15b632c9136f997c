"""Copies over the XML API: a PUT that names its source (https://cloud.google.com/storage/docs/xml-api/put-object-copy)."""

from collections.abc import Mapping

from localcloud.clock import rfc3339
from localcloud.http import Answer, Request
from localcloud.storage.data.store import Store
from localcloud.storage.errors import StorageError, condition_failed, invalid
from localcloud.storage.media.copies import copy, settings_of
from localcloud.storage.media.downloads import check_http_conditions
from localcloud.storage.model import Object
from localcloud.storage.rules.conditions import check_write, header_conditions, number
from localcloud.storage.rules.intents import header_intent
from localcloud.storage.rules.names import check_bucket_name, check_object_name, decode
from localcloud.storage.rules.parameters import COPY_SOURCE, METADATA_DIRECTIVE
from localcloud.storage.rules.ranges import check_length
from localcloud.storage.xml.documents import element, xml_answer, xml_etag


async def copy_object(store: Store, request: Request, bucket: str, name: str) -> Answer:
    """PUT /BUCKET/OBJECT with `x-goog-copy-source: BUCKET/OBJECT`"""
    # `x-amz-` is another prefix of the same headers.
    headers = {key.replace("x-amz-", "x-goog-", 1): value for key, value in request.headers.items()}
    source = _source(store, headers)
    replaces = _replaces(headers)
    if not replaces and (source.bucket, source.name) == (bucket, name):
        raise invalid(
            "To copy an object to itself, replace its metadata: x-goog-metadata-directive: REPLACE.", "InvalidRequest"
        )
    intent = header_intent(bucket, name, headers)
    check_length(source.size, intent.lengths)
    settings = intent.settings
    if not replaces:
        given = {"storageClass": settings["storageClass"]} if "storageClass" in settings else {}
        settings = settings_of(source) | given
    made = copy(store, source, (bucket, name), settings, intent.conditions, request.base)
    answer = xml_answer("CopyObjectResult", element("LastModified", rfc3339(made.updated)), element("ETag", xml_etag(made)))
    answer.headers.append((b"x-goog-generation", str(made.generation).encode()))
    answer.headers.append((b"x-goog-metageneration", str(made.metageneration).encode()))
    return answer


def _source(store: Store, headers: Mapping[str, str]) -> Object:
    raw_bucket, _, raw_name = headers[COPY_SOURCE].removeprefix("/").partition("/")
    if not raw_name:
        raise invalid(f"Invalid {COPY_SOURCE}: write BUCKET/OBJECT, percent-encoded.")
    generation = number(headers, f"{COPY_SOURCE}-generation")
    found = store.find(check_bucket_name(decode(raw_bucket)), check_object_name(decode(raw_name)), generation)
    prefix = f"{COPY_SOURCE}-"
    demands = {key.removeprefix(prefix): value for key, value in headers.items() if key.startswith(prefix)}
    conditions = header_conditions({f"x-goog-{key}": value for key, value in demands.items()})
    check_write(conditions, found.generation, found.metageneration)
    try:
        check_http_conditions(found, xml_etag(found), demands)
    except StorageError:
        raise condition_failed() from None  # 412 also where a download gets 304
    return found


def _replaces(headers: Mapping[str, str]) -> bool:
    directive = headers.get(METADATA_DIRECTIVE, "COPY").upper()
    if directive not in {"COPY", "REPLACE"}:
        raise invalid(f"Invalid {METADATA_DIRECTIVE} {directive[:40]!r}: use COPY or REPLACE.")
    return directive == "REPLACE"
