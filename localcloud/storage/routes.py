"""Which handler answers which request: a table for each API, with the operation names of Google's references.

https://cloud.google.com/storage/docs/json_api/v1 and https://cloud.google.com/storage/docs/xml-api/reference-methods
"""

import re
from collections.abc import Awaitable, Callable, Iterable

from localcloud.http import Answer, Request
from localcloud.storage.errors import ACLS, invalid, method_not_allowed, no_acls, unsupported
from localcloud.storage.json import buckets, copies, hmac_keys, notifications, objects, policies, uploads
from localcloud.storage.rules.names import check_bucket_name, check_object_name, decode
from localcloud.storage.rules.parameters import is_copy
from localcloud.storage.xml import buckets as xml_buckets
from localcloud.storage.xml import copies as xml_copies
from localcloud.storage.xml import forms, multipart
from localcloud.storage.xml import objects as xml_objects

#: Takes the store, the request and the names in its path.
Handler = Callable[..., Awaitable[Answer]]

_UPLOAD = "upload/b/*/o"
#: Method and path, with `*` for a name → operation and handler. Several routes may be steps of one operation.
JSON_API: dict[tuple[str, str], tuple[str, Handler]] = {
    ("GET", "b"): ("buckets.list", buckets.list_buckets),
    ("POST", "b"): ("buckets.insert", buckets.create_bucket),
    ("GET", "b/*"): ("buckets.get", buckets.get_bucket),
    ("PATCH", "b/*"): ("buckets.patch", buckets.patch_bucket),
    ("PUT", "b/*"): ("buckets.update", buckets.put_bucket),
    ("DELETE", "b/*"): ("buckets.delete", buckets.delete_bucket),
    ("GET", "b/*/storageLayout"): ("buckets.getStorageLayout", buckets.storage_layout),
    ("GET", "b/*/managedFolders"): ("managedFolders.list (there are none)", buckets.list_folders),
    ("GET", "b/*/folders"): ("folders.list (there are none)", buckets.list_folders),
    ("GET", "b/*/iam"): ("buckets.getIamPolicy", policies.get_policy),
    ("PUT", "b/*/iam"): ("buckets.setIamPolicy", policies.set_policy),
    ("GET", "b/*/iam/*"): ("buckets.testIamPermissions", policies.test_permissions),
    ("GET", "b/*/notificationConfigs"): ("notifications.list", notifications.list_configurations),
    ("POST", "b/*/notificationConfigs"): ("notifications.insert", notifications.create_configuration),
    ("GET", "b/*/notificationConfigs/*"): ("notifications.get", notifications.get_configuration),
    ("DELETE", "b/*/notificationConfigs/*"): ("notifications.delete", notifications.delete_configuration),
    ("GET", "b/*/o"): ("objects.list", objects.list_objects),
    ("GET", "b/*/o/*"): ("objects.get", objects.get_object),
    ("GET", "b/*/o/*?alt=media"): ("objects.get (media)", objects.download_object),
    ("GET", "download/b/*/o/*"): ("objects.get (media)", objects.download_object),
    ("PATCH", "b/*/o/*"): ("objects.patch", objects.patch_object),
    ("PUT", "b/*/o/*"): ("objects.update", objects.put_object),
    ("DELETE", "b/*/o/*"): ("objects.delete", objects.delete_object),
    ("POST", "b/*/o/*/compose"): ("objects.compose", copies.compose_object),
    ("POST", "b/*/o/*/copyTo/b/*/o/*"): ("objects.copy", copies.copy_object),
    ("POST", "b/*/o/*/rewriteTo/b/*/o/*"): ("objects.rewrite", copies.rewrite_object),
    ("POST", "b/*/o/*/moveTo/o/*"): ("objects.move", copies.move_object),
    ("POST", f"{_UPLOAD}?uploadType=media"): ("objects.insert (media)", uploads.insert_media),
    ("POST", f"{_UPLOAD}?uploadType=multipart"): ("objects.insert (multipart)", uploads.insert_multipart),
    ("POST", f"{_UPLOAD}?uploadType=resumable"): ("objects.insert (resumable)", uploads.start_session),
    ("POST", f"{_UPLOAD}?upload_id"): ("objects.insert (resumable)", uploads.continue_session),
    ("PUT", f"{_UPLOAD}?upload_id"): ("objects.insert (resumable)", uploads.continue_session),
    ("DELETE", f"{_UPLOAD}?upload_id"): ("objects.insert (resumable)", uploads.cancel_session),
    ("GET", "projects/*/serviceAccount"): ("projects.serviceAccount.get", policies.service_account),
    ("POST", "projects/*/hmacKeys"): ("projects.hmacKeys.create", hmac_keys.create_key),
    ("GET", "projects/*/hmacKeys"): ("projects.hmacKeys.list", hmac_keys.list_keys),
    ("GET", "projects/*/hmacKeys/*"): ("projects.hmacKeys.get", hmac_keys.get_key),
    ("PUT", "projects/*/hmacKeys/*"): ("projects.hmacKeys.update", hmac_keys.update_key),
    ("DELETE", "projects/*/hmacKeys/*"): ("projects.hmacKeys.delete", hmac_keys.delete_key),
}
_JSON_PREFIX = re.compile(r"(?:/resumable)?(?:/(upload|download|batch)(?=/))?(/storage/v1(?=/|$))?")
_KINDS = {"upload", "download", "batch"}
#: Paths on which Cloud Storage allows no other method; it has more of them on folders.
_JSON_PATHS = {path for _, path in JSON_API} - {"b/*/managedFolders", "b/*/folders"}

BUCKET, BUCKET_UPLOADS, BUCKET_FORM = "bucket", "bucket?uploads", "bucket (form)"
BUCKET_VERSIONS, BUCKET_LOCATION = "bucket?versions", "bucket?location"
OBJECT, SESSION, MULTIPART_START, MULTIPART = "object", "object?upload_id", "object?uploads", "object?uploadId"
OBJECT_COPY = "object (copy)"
#: Method and target → operation and handler. A target is a bucket or an object, and the parameter that changes its meaning.
XML_API: dict[tuple[str, str], tuple[str, Handler]] = {
    ("GET", BUCKET): ("XML: GET bucket (list objects)", xml_buckets.list_objects),
    ("HEAD", BUCKET): ("XML: HEAD bucket", xml_buckets.head_bucket),
    ("PUT", BUCKET): ("XML: PUT bucket", xml_buckets.create_bucket),
    ("DELETE", BUCKET): ("XML: DELETE bucket", xml_buckets.delete_bucket),
    ("GET", BUCKET_VERSIONS): ("XML: GET bucket?versions", xml_buckets.list_versions),
    ("GET", BUCKET_LOCATION): ("XML: GET bucket?location", xml_buckets.get_location),
    ("GET", BUCKET_UPLOADS): ("XML: GET bucket?uploads", multipart.list_uploads),
    ("POST", BUCKET_FORM): ("XML: POST bucket (upload by form)", forms.upload_form),
    ("GET", OBJECT): ("XML: GET object", xml_objects.get_object),
    ("HEAD", OBJECT): ("XML: HEAD object", xml_objects.get_object),
    ("PUT", OBJECT): ("XML: PUT object", xml_objects.put_object),
    ("PUT", OBJECT_COPY): ("XML: PUT object (copy)", xml_copies.copy_object),
    ("DELETE", OBJECT): ("XML: DELETE object", xml_objects.delete_object),
    ("POST", OBJECT): ("XML: POST object (start a resumable upload)", xml_objects.start_session),
    ("PUT", SESSION): ("XML: POST object (start a resumable upload)", xml_objects.continue_session),
    ("DELETE", SESSION): ("XML: POST object (start a resumable upload)", xml_objects.cancel_session),
    ("POST", MULTIPART_START): ("XML: POST uploadId (complete a multipart upload)", multipart.start_upload),
    ("PUT", MULTIPART): ("XML: PUT part", multipart.put_part),
    ("GET", MULTIPART): ("XML: GET uploadId (list parts)", multipart.list_parts),
    ("POST", MULTIPART): ("XML: POST uploadId (complete a multipart upload)", multipart.complete_upload),
    ("DELETE", MULTIPART): ("XML: DELETE uploadId (abort a multipart upload)", multipart.abort_upload),
}


def operations() -> list[str]:
    """Every emulated operation by Google's name, such as `objects.patch` or `XML: PUT part`."""
    return sorted({name for name, _ in (*JSON_API.values(), *XML_API.values())} | {"batch"})


def json_segments(path: str) -> list[str] | None:
    """`/upload/storage/v1/b/B/o` → `["upload", "b", "B", "o"]`, still encoded; None for a path of the XML API.

    Node's client omits `/storage/v1`, gcloud uploads under `/resumable/upload`. No bucket is named `b`: bucket names have at
    least three letters. Every path below `/storage/v1/` is the JSON API's, also one that no route has.
    """
    found = _JSON_PREFIX.match(path)
    assert found  # every part of the expression is optional
    kind, version, segments = found[1], found[2], path[found.end() :].split("/")[1:]
    if path == "/batch" or (kind == "batch" and segments in ([], [""])):
        return ["batch"]
    if not segments or segments[0] in {"", *_KINDS}:
        return None
    if version or segments[0] == "b" or _is_project(segments):
        return [kind, *segments] if kind else segments
    return None


def find_json(request: Request, segments: list[str]) -> tuple[str, Handler, list[str]]:
    """Operation and handler of a JSON API request, and the names in its path. 405 or 400 for an unsupported request."""
    shape, names = _shape(segments)
    if shape == _UPLOAD:
        shape += "?upload_id" if "upload_id" in request.query else f"?uploadType={request.query.get('uploadType', '')}"
    elif request.method == "GET" and shape == "b/*/o/*" and request.query.get("alt") == "media":
        shape += "?alt=media"
    if found := JSON_API.get((request.method, shape)):
        return *found, names
    if shape in _JSON_PATHS:
        raise method_not_allowed(request.method, shape)
    if shape.startswith(f"{_UPLOAD}?"):
        kind = request.query.get("uploadType", "")
        raise invalid(f"Invalid uploadType {kind[:20]!r}: use media, multipart or resumable.")
    raise no_acls() if ACLS.intersection(shape.split("/")) else unsupported(f"{request.method} {shape}")


def is_download(request: Request, segments: list[str]) -> bool:
    """Whether a JSON API request asks for the bytes of an object, to whose refusals Cloud Storage gives no JSON."""
    if request.method != "GET" or "o" not in segments:
        return False
    return segments[0] == "download" or re.search(r"(?:^|&)alt=media(?:&|$)", request.raw_query) is not None


def xml_path(request: Request) -> tuple[str, str]:
    """Bucket and object of an XML API request, still encoded; the bucket may be the first part of the host name."""
    host = request.headers.get("host", "").partition(":")[0]
    if host.endswith(".storage.googleapis.com"):
        return host.removesuffix(".storage.googleapis.com"), request.path[1:]
    bucket, _, name = request.path[1:].partition("/")
    return bucket, name


def xml_names(raw_bucket: str, raw_name: str) -> list[str]:
    """The decoded name of a bucket, or of a bucket and an object; 400 for a disallowed name."""
    if not raw_bucket:
        raise unsupported("requests without a bucket over the XML API, such as the list of buckets")
    bucket = check_bucket_name(decode(raw_bucket))
    return [bucket, check_object_name(decode(raw_name))] if raw_name else [bucket]


def xml_target(request: Request, names: list[str]) -> str:
    """The target of an XML API request, as in the table."""
    if len(names) == 1:
        if request.method == "POST" and request.headers.get("content-type", "").startswith("multipart/form-data"):
            return BUCKET_FORM
        return _with_parameter(request, (BUCKET_UPLOADS, BUCKET_VERSIONS, BUCKET_LOCATION)) or BUCKET
    found = _with_parameter(request, (SESSION, MULTIPART_START, MULTIPART))
    if not found and request.method == "PUT" and is_copy(request.headers):
        return OBJECT_COPY
    return found or OBJECT


def _with_parameter(request: Request, targets: Iterable[str]) -> str:
    return next((target for target in targets if target.partition("?")[2] in request.query), "")


def find_xml(method: str, target: str) -> tuple[str, Handler]:
    """Operation and handler of an XML API request. 405 or 400 for an unsupported request."""
    if found := XML_API.get((method, target)):
        return found
    if target.startswith(BUCKET):
        raise unsupported(f"{method[:20]} of a bucket over the XML API")
    raise method_not_allowed(method, f"an {target}")


def _shape(segments: list[str]) -> tuple[str, list[str]]:
    """`["b", "B", "o", "O"]` → `b/*/o/*` and the decoded names. Every second segment is a name, except after a verb."""
    segments = segments[:-1] if segments[-1] == "" else segments
    start = 1 if segments[0] in _KINDS else 0
    prefix, path = segments[:start], segments[start:]
    places = {7: (1, 3, 6), 9: (1, 3, 6, 8)}.get(len(path), (1, 3)) if path[0] in {"b", "projects"} else ()
    names = [decode(path[place]) for place in places if place < len(path)]
    if len(names) > 1 and path[2] == "o":
        check_object_name(names[1])
    for place in places[: len(names)]:
        path[place] = "*"
    return "/".join(prefix + path), names


def _is_project(segments: list[str]) -> bool:
    return segments[0] == "projects" and len(segments) >= 3 and segments[2] in {"serviceAccount", "hmacKeys"}
