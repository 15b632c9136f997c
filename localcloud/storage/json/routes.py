"""The JSON API's table of contents: which function answers which path (https://cloud.google.com/storage/docs/json_api/v1)."""

from collections.abc import Awaitable, Callable

from localcloud.storage.data.store import Store
from localcloud.storage.errors import ACLS, StorageError, no_acls, unsupported
from localcloud.storage.http import Answer, Request
from localcloud.storage.json import buckets, copies, objects
from localcloud.storage.json.notifications import (
    create_configuration,
    delete_configuration,
    get_configuration,
    list_configurations,
)
from localcloud.storage.json.objects import find, show
from localcloud.storage.json.resources import etag
from localcloud.storage.media.downloads import check_http_conditions, media_answer, object_headers
from localcloud.storage.rules.conditions import Conditions
from localcloud.storage.rules.names import check_object_name, decode

Handler = Callable[..., Awaitable[Answer]]


async def get_object(store: Store, request: Request, bucket: str, name: str) -> Answer:
    """GET /b/B/o/O: the resource, or with `alt=media` the bytes."""
    found = find(store, request, bucket, name)
    Conditions.from_query(request.query).check_read(found.generation, found.metageneration)
    tag = etag(found.generation, found.metageneration)
    check_http_conditions(found, tag, request.headers)
    if request.query.get("alt") != "media":
        return show(found, request)
    headers = object_headers(found)
    headers.append((b"etag", tag.encode()))
    headers.append((b"cache-control", b"no-cache, no-store, max-age=0, must-revalidate"))
    return await media_answer(store, found, request, headers)


#: Method and path, with `*` for names; what Google calls the operation; what answers it.
ROUTES: dict[tuple[str, str], tuple[str, Handler]] = {
    ("GET", "b"): ("buckets.list", buckets.list_buckets),
    ("POST", "b"): ("buckets.insert", buckets.create_bucket),
    ("GET", "b/*"): ("buckets.get", buckets.get_bucket),
    ("PATCH", "b/*"): ("buckets.patch", buckets.patch_bucket),
    ("PUT", "b/*"): ("buckets.update", buckets.put_bucket),
    ("DELETE", "b/*"): ("buckets.delete", buckets.delete_bucket),
    ("GET", "b/*/storageLayout"): ("buckets.getStorageLayout", buckets.storage_layout),
    ("GET", "b/*/managedFolders"): ("managedFolders.list (there are none)", buckets.list_folders),
    ("GET", "b/*/folders"): ("folders.list (there are none)", buckets.list_folders),
    ("GET", "b/*/iam"): ("buckets.getIamPolicy", buckets.get_policy),
    ("PUT", "b/*/iam"): ("buckets.setIamPolicy", buckets.set_policy),
    ("GET", "b/*/iam/*"): ("buckets.testIamPermissions", buckets.test_permissions),
    ("GET", "b/*/notificationConfigs"): ("notifications.list", list_configurations),
    ("POST", "b/*/notificationConfigs"): ("notifications.insert", create_configuration),
    ("GET", "b/*/notificationConfigs/*"): ("notifications.get", get_configuration),
    ("DELETE", "b/*/notificationConfigs/*"): ("notifications.delete", delete_configuration),
    ("GET", "b/*/o"): ("objects.list", objects.list_objects),
    ("GET", "b/*/o/*"): ("objects.get", get_object),
    ("PATCH", "b/*/o/*"): ("objects.patch", objects.patch_object),
    ("PUT", "b/*/o/*"): ("objects.update", objects.put_object),
    ("DELETE", "b/*/o/*"): ("objects.delete", objects.delete_object),
    ("POST", "b/*/o/*/compose"): ("objects.compose", copies.compose_object),
    ("POST", "b/*/o/*/copyTo/b/*/o/*"): ("objects.copy", copies.copy_object),
    ("POST", "b/*/o/*/rewriteTo/b/*/o/*"): ("objects.rewrite", copies.rewrite_object),
    ("GET", "projects/*/serviceAccount"): ("projects.serviceAccount.get", buckets.service_account),
}
_PATHS = {path for _, path in ROUTES}


async def answer(store: Store, request: Request, segments: list[str]) -> Answer:
    """Answer a request whose path, without the API's prefix, has these (still encoded) segments."""
    shape, names = _parse(segments)
    # Some clients cannot send PATCH and say so (https://cloud.google.com/storage/docs/json_api#method-override).
    method = request.headers.get("x-http-method-override", request.method)
    found = ROUTES.get((method, shape))
    if found is None:
        if shape in _PATHS:
            raise StorageError(405, "methodNotAllowed", f"{method} is not possible on {shape}.", "MethodNotAllowed")
        raise no_acls() if ACLS.intersection(shape.split("/")) else unsupported(f"{method} {shape}")
    return await found[1](store, request, *names)


def _parse(segments: list[str]) -> tuple[str, list[str]]:
    """The path with its names replaced by `*`, and the names: every second one, but /b/ follows copyTo's verb."""
    if segments[-1] == "":
        segments = segments[:-1]
    variables = {1, 3, 6, 8} if len(segments) == 9 else {1, 3}
    shape = "/".join("*" if place in variables else text for place, text in enumerate(segments))
    names = [decode(text) for place, text in enumerate(segments) if place in variables]
    if len(names) > 1 and segments[2] == "o":
        check_object_name(names[1])
    return shape, names
