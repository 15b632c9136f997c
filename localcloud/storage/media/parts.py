"""Multipart uploads of the XML API: parts that arrive in any order and become one object."""

from base64 import b64decode
from collections.abc import AsyncIterator, Mapping
from typing import Any

from localcloud.storage.data.store import Store
from localcloud.storage.errors import invalid, no_upload
from localcloud.storage.media.uploads import receive
from localcloud.storage.model import Draft, MultipartUpload, Object, Part
from localcloud.storage.rules.checksums import check
from localcloud.storage.rules.lifecycle import DAY_SECONDS

MAX_PART_NUMBER = 10_000
#: The smallest size of any part except the last.
MIN_PART_BYTES = 5 << 20


async def put_part(
    store: Store, upload: MultipartUpload, number: int, body: AsyncIterator[bytes], claims: Mapping[str, str]
) -> Part:
    """Store a part; it replaces an earlier one with the same number."""
    if upload.finished:
        raise no_upload()
    if not 1 <= number <= MAX_PART_NUMBER:
        raise invalid(f"partNumber must be 1 to {MAX_PART_NUMBER}.")
    sink = await receive(store, body, lambda received: check(claims, received))
    sums = sink.checksums
    part = Part(number, sink.content, sums.size, sums.crc32c, sums.md5, store.clock.time())
    try:
        _check_unfinished(store, upload)
        replaced = [known.content for known in store.uploads.parts(upload.id) if known.number == number]
        store.uploads.put_part(upload.id, part)
    except BaseException:
        store.contents.remove([sink.content])
        raise
    store.contents.remove(replaced)
    return part


async def complete(store: Store, upload: MultipartUpload, wanted: list[tuple[int, str]], base: str) -> Object:
    """Join the listed parts, each a number and a hexadecimal MD5, to the object."""
    if upload.finished:
        return upload.finished
    chosen = _choose({part.number: part for part in store.uploads.parts(upload.id)}, wanted)
    sink = await store.contents.concatenate([part.content for part in chosen])
    sums, intent = sink.checksums, upload.intent
    draft = Draft(intent.bucket, intent.name, sink.content, sums.size, sums.crc32c, None, intent.settings)
    try:
        _check_unfinished(store, upload)
        made = store.put(draft, intent.conditions, base, upload.id)
    except BaseException:
        store.contents.remove([sink.content])
        raise
    store.contents.remove(store.uploads.drop_parts(upload.id))
    return made


def abort(store: Store, upload: MultipartUpload) -> None:
    """Delete an upload with all its parts."""
    store.contents.remove(store.uploads.drop_parts(upload.id))
    store.uploads.drop_multipart(upload.id)


def abort_old(store: Store, bucket: str, condition: Mapping[str, Any]) -> None:
    """Perform the lifecycle action AbortIncompleteMultipartUpload."""
    newest = store.clock.time() - condition.get("age", 0) * DAY_SECONDS
    prefixes, suffixes = tuple(condition.get("matchesPrefix", [""])), tuple(condition.get("matchesSuffix", [""]))
    for upload in store.uploads.multiparts(bucket):
        name = upload.intent.name
        if upload.created <= newest and name.startswith(prefixes) and name.endswith(suffixes):
            abort(store, upload)


def hex_md5(part: Part) -> str:
    """A part's ETag."""
    return b64decode(part.md5).hex()


def _check_unfinished(store: Store, upload: MultipartUpload) -> None:
    # Another request may have completed or aborted the upload since this one began.
    if store.uploads.multipart(upload.id).finished:
        raise no_upload()


def _choose(known: Mapping[int, Part], wanted: list[tuple[int, str]]) -> list[Part]:
    numbers = [number for number, _ in wanted]
    if not numbers or sorted(set(numbers)) != numbers:
        raise invalid("Parts must be listed once each, in ascending order.", "InvalidPartOrder")
    for number, etag in wanted:
        if number not in known or etag not in {"", hex_md5(known[number])}:
            raise invalid(f"Part {number} is missing, or its ETag differs.", "InvalidPart")
    chosen = [known[number] for number in numbers]
    if any(part.size < MIN_PART_BYTES for part in chosen[:-1]):
        raise invalid(f"Every part but the last must have {MIN_PART_BYTES} bytes.", "EntityTooSmall")
    return chosen
