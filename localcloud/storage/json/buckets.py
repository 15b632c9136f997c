"""Buckets over the JSON API: the resource itself, its IAM policy and what clients ask about its layout."""

from dataclasses import replace
from typing import Any

from localcloud.storage.data.listing import decode_token, encode_token
from localcloud.storage.data.store import Store
from localcloud.storage.errors import StorageError, condition_failed, invalid, unsupported
from localcloud.storage.http import Answer, Request, empty_answer, json_answer
from localcloud.storage.json.resources import bucket_resource, etag, project_number
from localcloud.storage.model import Bucket, Settings
from localcloud.storage.rules.buckets import MERGED, bucket_settings, check_public, policy_settings, with_location_of
from localcloud.storage.rules.conditions import Conditions, number
from localcloud.storage.rules.names import check_bucket_name
from localcloud.storage.rules.objects import patched

#: What google-cloud-storage sends under STORAGE_EMULATOR_HOST when it knows no project.
_NO_PROJECT = {"", "<none>"}
_PAGE = 1000


async def create_bucket(store: Store, request: Request) -> Answer:
    """POST /b"""
    body = await request.json()
    name = check_bucket_name(str(body.get("name") or ""))
    if name in store.buckets:
        message = "Your previous request to create the named bucket succeeded and you already own it."
        raise StorageError(409, "conflict", message, "BucketAlreadyOwnedByYou")
    project = request.query.get("project", "")
    now = store.clock.time()
    settings = patched({}, bucket_settings(body), MERGED)
    bucket = Bucket(name, store.project if project in _NO_PROJECT else project, now, now, 1, settings)
    return _show(store.save_bucket(bucket), request)


async def list_buckets(store: Store, request: Request) -> Answer:
    """GET /b"""
    query = request.query
    project, prefix, after = query.get("project", ""), query.get("prefix", ""), decode_token(query.get("pageToken", ""))
    names = sorted(
        name
        for name, bucket in store.buckets.items()
        if name.startswith(prefix) and name > after[0] and (project in _NO_PROJECT or _belongs(bucket, project))
    )
    limit = min(number(query, "maxResults") or _PAGE, _PAGE)
    items = [bucket_resource(store.buckets[name], request.base) for name in names[:limit]]
    answer: dict[str, Any] = {"kind": "storage#buckets", "items": items}
    if len(names) > limit:
        answer["nextPageToken"] = encode_token((names[limit - 1], 0))
    return json_answer(answer)


async def get_bucket(store: Store, request: Request, name: str) -> Answer:
    """GET /b/B"""
    bucket = store.bucket(name)
    Conditions.from_query(request.query).check_read(0, bucket.metageneration)
    return _show(bucket, request)


async def patch_bucket(store: Store, request: Request, name: str) -> Answer:
    """PATCH /b/B"""
    body = await request.json()
    given = bucket_settings(body) | {key: None for key, value in body.items() if value is None}
    return _replace(store, request, store.bucket(name), patched(store.bucket(name).settings, given, MERGED))


async def put_bucket(store: Store, request: Request, name: str) -> Answer:
    """PUT /b/B"""
    return _replace(store, request, store.bucket(name), patched({}, bucket_settings(await request.json()), MERGED))


async def delete_bucket(store: Store, request: Request, name: str) -> Answer:
    """DELETE /b/B"""
    Conditions.from_query(request.query).check_write(0, store.bucket(name).metageneration)
    store.delete_bucket(name)
    return empty_answer(204)


async def storage_layout(store: Store, request: Request, name: str) -> Answer:
    """GET /b/B/storageLayout; gcloud cannot copy folders without it."""
    shown = bucket_resource(store.bucket(name), request.base)
    fields = {"bucket": name, "location": shown["location"], "locationType": shown["locationType"]}
    return json_answer({"kind": "storage#storageLayout", **fields, "hierarchicalNamespace": {"enabled": False}})


async def list_folders(store: Store, request: Request, name: str) -> Answer:
    """GET /b/B/managedFolders and /b/B/folders; there are none, but gcloud asks before it removes a bucket."""
    store.bucket(name)
    return json_answer({"kind": "storage#folders" if request.path.endswith("/folders") else "storage#managedFolders"})


async def get_policy(store: Store, _request: Request, name: str) -> Answer:
    """GET /b/B/iam"""
    return json_answer(_policy(store.bucket(name)))


async def set_policy(store: Store, request: Request, name: str) -> Answer:
    """PUT /b/B/iam; the policy is kept and shown, but nobody is refused anything on this machine."""
    body = await request.json()
    bucket = store.bucket(name)
    if not isinstance(body.get("etag", ""), str | None):
        raise invalid("etag must be a text.")
    if body.get("etag") not in (None, "", _policy(bucket)["etag"]):
        raise condition_failed()
    policy = policy_settings(body) | {"number": bucket.policy.get("number", 1) + 1}
    check_public(bucket.settings, policy["bindings"])
    return json_answer(_policy(store.save_bucket(replace(bucket, policy=policy))))


async def test_permissions(store: Store, request: Request, name: str, method: str) -> Answer:
    """GET /b/B/iam/testPermissions: everything is allowed here."""
    store.bucket(name)
    if method != "testPermissions":
        raise unsupported(f"iam/{method}")
    asked = [value for key, _, value in (pair.partition("=") for pair in request.raw_query.split("&"))]
    return json_answer({"kind": "storage#testIamPermissionsResponse", "permissions": [a for a in asked if "storage." in a]})


async def service_account(_store: Store, _request: Request, project: str) -> Answer:
    """GET /projects/P/serviceAccount: the agent that publishes notifications."""
    email = f"service-{project_number(project)}@gs-project-accounts.iam.gserviceaccount.com"
    return json_answer({"kind": "storage#serviceAccount", "email_address": email})


def _replace(store: Store, request: Request, bucket: Bucket, settings: Settings) -> Answer:
    Conditions.from_query(request.query).check_write(0, bucket.metageneration)
    settings = with_location_of(bucket.settings, settings)
    changed = replace(bucket, settings=settings, metageneration=bucket.metageneration + 1, updated=store.clock.time())
    return _show(store.save_bucket(changed), request)


def _show(bucket: Bucket, request: Request) -> Answer:
    return json_answer(bucket_resource(bucket, request.base))


def _belongs(bucket: Bucket, project: str) -> bool:
    return project in {bucket.project, project_number(bucket.project)}


def _policy(bucket: Bucket) -> dict[str, Any]:
    return {
        "kind": "storage#policy",
        "resourceId": f"projects/_/buckets/{bucket.name}",
        "version": bucket.policy.get("version", 1),
        "etag": etag(0, bucket.policy.get("number", 1)),
        "bindings": bucket.policy.get("bindings", []),
    }
