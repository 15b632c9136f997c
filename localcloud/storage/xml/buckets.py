"""Buckets over the XML API: lists of objects in both versions of the format."""

from localcloud.clock import rfc3339
from localcloud.http import Answer, Request, empty_answer
from localcloud.storage.data.store import Store
from localcloud.storage.model import Object
from localcloud.storage.rules.conditions import number
from localcloud.storage.rules.listing import MAX_RESULTS, Page, Query, decode_token, list_page
from localcloud.storage.xml.documents import element, group, xml_answer


async def head_bucket(_store: Store, _request: Request, _bucket: str) -> Answer:
    """HEAD /BUCKET"""
    return empty_answer(200, (b"content-length", b"0"))


async def list_objects(store: Store, request: Request, bucket: str) -> Answer:
    """GET /BUCKET, the first version or with `list-type=2` the second."""
    is_second = request.query.get("list-type") == "2"
    wanted = _query(request, is_second)
    page = list_page(wanted, lambda cursor, count: store.objects.page(bucket, cursor, False, count))
    content = [element("Name", bucket), element("Prefix", wanted.prefix), element("MaxKeys", str(wanted.limit))]
    content += [element("Delimiter", wanted.delimiter)] if wanted.delimiter else []
    content += [element("IsTruncated", "true" if page.token else "false")]
    content += [_next_page(page, is_second)] if page.token else []
    content += [_contents(item) for item in page.items]
    content += [group("CommonPrefixes", element("Prefix", prefix)) for prefix in page.prefixes]
    return xml_answer("ListBucketResult", *content)


def _query(request: Request, is_second: bool) -> Query:
    query = request.query
    prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
    start = query.get("start-after" if is_second else "marker", "")
    token = decode_token(query.get("continuation-token", ""))
    # A marker that is a common prefix also skips all names below it.
    after = (start + "\U0010ffff", 0) if start and start.endswith(delimiter or "\0") else (start, 2**62)
    limit = number(query, "max-keys")
    return Query(
        prefix,
        delimiter,
        limit=min(MAX_RESULTS if limit is None else max(limit, 1), MAX_RESULTS),
        cursor=max((prefix, -1), after if start else ("", -1), token),
    )


def _next_page(page: Page, is_second: bool) -> str:
    if is_second:
        return element("NextContinuationToken", page.token)
    return element("NextMarker", max([item.name for item in page.items[-1:]] + page.prefixes[-1:]))


def _contents(item: Object) -> str:
    return group(
        "Contents",
        element("Key", item.name),
        element("Generation", str(item.generation)),
        element("MetaGeneration", str(item.metageneration)),
        element("LastModified", rfc3339(item.updated)),
        element("Size", str(item.size)),
    )
