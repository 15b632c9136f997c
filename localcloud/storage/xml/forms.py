"""Uploads by an HTML form: POST of `multipart/form-data` to a bucket."""

from urllib.parse import quote, urlencode

from localcloud.http import Answer, Request, empty_answer
from localcloud.storage.data.store import Store
from localcloud.storage.errors import invalid
from localcloud.storage.media.mime import parse_form
from localcloud.storage.media.uploads import store_upload
from localcloud.storage.model import Intent, Object
from localcloud.storage.rules import cors
from localcloud.storage.rules.checksums import claims
from localcloud.storage.rules.conditions import header_conditions
from localcloud.storage.rules.names import check_object_name
from localcloud.storage.rules.objects import header_settings
from localcloud.storage.rules.parameters import check_form_fields
from localcloud.storage.rules.post_policy import check_form
from localcloud.storage.xml.documents import element, xml_answer


async def upload_form(store: Store, request: Request, bucket: str) -> Answer:
    """POST /BUCKET"""
    form = await parse_form(request.headers.get("content-type", ""), request.body)
    fields = form.fields
    check_form_fields(fields)
    if "policy" not in fields:
        cors.check_origin(store.buckets.get(bucket), request.method, request.headers)
    key = fields.get("key", "").replace("${filename}", form.filename)
    implied = {"content-type": form.media_type, **fields, "key": key, "bucket": bucket}
    lengths = check_form(fields, implied, store.public_key, store.clock.time())
    conditions = header_conditions(fields)
    intent = Intent(bucket, check_object_name(key), header_settings(implied), claims(fields), conditions, lengths)
    return _answer(await store_upload(store, intent, form.media, request.base), fields, request)


def _answer(made: Object, fields: dict[str, str], request: Request) -> Answer:
    etag = f'"{made.generation}-{made.metageneration}"'
    redirect = fields.get("success_action_redirect", "")
    if redirect:
        if not redirect.startswith(("http://", "https://")):
            raise invalid("success_action_redirect must be a URL.")
        query = urlencode({"bucket": made.bucket, "key": made.name, "etag": etag})
        location = f"{redirect}{'&' if '?' in redirect else '?'}{query}"
        return empty_answer(303, (b"location", quote(location, safe="/:?&=%#+").encode()))
    location = f"{request.base}/{made.bucket}/{quote(made.name)}"
    if fields.get("success_action_status") == "201":
        content = {"Location": location, "Bucket": made.bucket, "Key": made.name, "ETag": etag}
        return xml_answer("PostResponse", *(element(name, text) for name, text in content.items()), status=201)
    status = 200 if fields.get("success_action_status") == "200" else 204
    return empty_answer(status, (b"location", location.encode()), (b"etag", etag.encode()))
