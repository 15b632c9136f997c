"""Lists of objects over the XML API, in both versions that its clients ask for."""

from localcloud.clock import rfc3339
from localcloud.storage.data.listing import MAX_RESULTS, Query, decode_token, list_page
from localcloud.storage.data.store import Store
from localcloud.storage.http import Answer, Request
from localcloud.storage.model import Object
from localcloud.storage.rules.conditions import number
from localcloud.storage.xml.multipart import element, group, xml_answer


def list_bucket(store: Store, request: Request, bucket: str) -> Answer:
    """GET /BUCKET, with `list-type=2` or without"""
    query, is_second = request.query, request.query.get("list-type") == "2"
    start = query.get("start-after" if is_second else "marker", "")
    token = decode_token(query.get("continuation-token", ""))
    # A marker that is a common prefix stands for everything below it.
    after = (start + "\U0010ffff", 0) if start and start.endswith(query.get("delimiter") or "\0") else (start, 2**62)
    limit = number(query, "max-keys")
    wanted = Query(
        query.get("prefix", ""),
        query.get("delimiter", ""),
        limit=min(MAX_RESULTS if limit is None else max(limit, 1), MAX_RESULTS),
        cursor=max((query.get("prefix", ""), -1), after if start else ("", -1), token),
    )
    page = list_page(wanted, lambda cursor, count: store.page(bucket, cursor, False, count))
    content = [element("Name", bucket), element("Prefix", wanted.prefix), element("MaxKeys", str(wanted.limit))]
    content += [element("Delimiter", wanted.delimiter)] if wanted.delimiter else []
    content += [element("IsTruncated", "true" if page.token else "false")]
    if page.token:
        last = max([item.name for item in page.items[-1:]] + page.prefixes[-1:])
        content += [element("NextContinuationToken", page.token) if is_second else element("NextMarker", last)]
    content += [_contents(item) for item in page.items]
    content += [group("CommonPrefixes", element("Prefix", prefix)) for prefix in page.prefixes]
    return xml_answer("ListBucketResult", *content)


def _contents(item: Object) -> str:
    return group(
        "Contents",
        element("Key", item.name),
        element("Generation", str(item.generation)),
        element("MetaGeneration", str(item.metageneration)),
        element("LastModified", rfc3339(item.updated)),
        element("Size", str(item.size)),
    )
