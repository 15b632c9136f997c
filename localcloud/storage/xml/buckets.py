"""Buckets over the XML API: creation, deletion, and lists of objects in both versions of the format."""

from xml.sax.saxutils import escape

from localcloud.clock import rfc3339
from localcloud.http import Answer, Request, empty_answer
from localcloud.storage.data.store import Store
from localcloud.storage.errors import unsupported
from localcloud.storage.model import Object
from localcloud.storage.rules.buckets import bucket_settings
from localcloud.storage.rules.conditions import number
from localcloud.storage.rules.listing import MAX_RESULTS, Page, Query, decode_token, list_page
from localcloud.storage.rules.locations import DEFAULT_LOCATION
from localcloud.storage.rules.parameters import MAX_BODY_BYTES
from localcloud.storage.xml.documents import element, group, parse_xml, xml_answer, xml_etag


async def head_bucket(_store: Store, _request: Request, _bucket: str) -> Answer:
    """HEAD /BUCKET"""
    return empty_answer(200, (b"content-length", b"0"))


async def create_bucket(store: Store, request: Request, bucket: str) -> Answer:
    """PUT /BUCKET"""
    body = await request.read(MAX_BODY_BYTES)
    given = _configuration(body) if body.strip() else {}
    store.make_bucket(bucket, request.headers.get("x-goog-project-id", ""), bucket_settings(given))
    return empty_answer(200, (b"content-length", b"0"))


async def delete_bucket(store: Store, _request: Request, bucket: str) -> Answer:
    """DELETE /BUCKET"""
    store.delete_bucket(bucket)
    return empty_answer(204)


async def get_location(store: Store, _request: Request, bucket: str) -> Answer:
    """GET /BUCKET?location"""
    return xml_answer("LocationConstraint", escape(store.bucket(bucket).settings.get("location", DEFAULT_LOCATION)))


async def list_objects(store: Store, request: Request, bucket: str) -> Answer:
    """GET /BUCKET, the first version or with `list-type=2` the second."""
    is_second = request.query.get("list-type") == "2"
    wanted = _query(request, is_second)
    page = list_page(wanted, lambda cursor, count: store.objects.page(bucket, cursor, False, count))
    following = [element("NextContinuationToken", page.token)] if is_second else [_next_marker(wanted, page)]
    contents = [group("Contents", *_described(wanted, item)) for item in page.items]
    return _list(bucket, wanted, page, following, contents)


async def list_versions(store: Store, request: Request, bucket: str) -> Answer:
    """GET /BUCKET?versions: noncurrent objects too."""
    wanted = _query(request, False)
    page = list_page(wanted, lambda cursor, count: store.objects.page(bucket, cursor, True, count))
    following = [_next_marker(wanted, page)]
    if page.items and page.items[-1].name >= max(page.prefixes, default=""):
        following.append(element("NextGenerationMarker", str(page.items[-1].generation)))
    contents = [
        group("Version", *_described(wanted, item), element("IsLatest", "true" if item.deleted is None else "false"))
        for item in page.items
    ]
    return _list(bucket, wanted, page, following, contents)


def _configuration(body: bytes) -> dict[str, str]:
    """Location and storage class in the body of a bucket's creation; 400 names any other element."""
    fields = {"LocationConstraint": "location", "StorageClass": "storageClass"}
    given = {}
    for item in parse_xml(body, "CreateBucketConfiguration", "MalformedBucketConfiguration"):
        name = item.tag.rpartition("}")[2]
        if name not in fields:
            raise unsupported(f"{name[:40]} of CreateBucketConfiguration")
        if item.text:
            given[fields[name]] = item.text.strip()
    return given


def _list(bucket: str, wanted: Query, page: Page, following: list[str], contents: list[str]) -> Answer:
    content = [element("Name", bucket), element("Prefix", wanted.shown(wanted.prefix)), element("MaxKeys", str(wanted.limit))]
    content += [element("Delimiter", wanted.shown(wanted.delimiter))] if wanted.delimiter else []
    content += [element("EncodingType", "url")] if wanted.is_encoded else []
    content += [element("IsTruncated", "true" if page.token else "false")]
    content += following if page.token else []
    content += contents
    content += [group("CommonPrefixes", element("Prefix", wanted.shown(prefix))) for prefix in page.prefixes]
    return xml_answer("ListBucketResult", *content)


def _query(request: Request, is_second: bool) -> Query:
    query = request.query
    prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
    start = query.get("start-after" if is_second else "marker", "")
    token = decode_token(query.get("continuation-token", ""))
    generation = number(query, "generation-marker")
    after = (start, 2**62 if generation is None else generation)
    if start and generation is None and Query(prefix, delimiter).group(start) == start:
        after = (start + "\U0010ffff", 0)  # a marker that is a common prefix also skips all names below it
    limit = number(query, "max-keys")
    return Query(
        prefix,
        delimiter,
        limit=min(MAX_RESULTS if limit is None else max(limit, 1), MAX_RESULTS),
        cursor=max((prefix, -1), after if start else ("", -1), token),
        is_encoded="encoding-type" in query,
    )


def _next_marker(wanted: Query, page: Page) -> str:
    last = max([item.name for item in page.items[-1:]] + page.prefixes[-1:], default="")
    return element("NextMarker", wanted.shown(last))


def _described(wanted: Query, item: Object) -> list[str]:
    return [
        element("Key", wanted.shown(item.name)),
        element("Generation", str(item.generation)),
        element("MetaGeneration", str(item.metageneration)),
        element("LastModified", rfc3339(item.updated)),
        element("ETag", xml_etag(item)),
        element("Size", str(item.size)),
        element("StorageClass", item.settings.get("storageClass", "STANDARD")),
    ]
