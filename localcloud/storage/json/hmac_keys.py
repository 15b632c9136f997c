"""HMAC keys over the JSON API, as metadata: their signatures are refused by name."""

import base64
import re
import secrets
from dataclasses import replace
from typing import Any

from localcloud.clock import rfc3339
from localcloud.http import Answer, Request, empty_answer, json_answer
from localcloud.storage.data.hmac_keys import DELETED
from localcloud.storage.data.store import Store
from localcloud.storage.errors import StorageError, invalid
from localcloud.storage.model import HmacKey
from localcloud.storage.rules.conditions import number
from localcloud.storage.rules.listing import decode_token, encode_token
from localcloud.storage.rules.parameters import MAX_BODY_BYTES
from localcloud.storage.rules.resources import etag, project_number

_ACTIVE, _INACTIVE = "ACTIVE", "INACTIVE"
_PAGE = 250
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


async def create_key(store: Store, request: Request, project: str) -> Answer:
    """POST /projects/P/hmacKeys. Only this answer has the secret."""
    email = request.query.get("serviceAccountEmail", "")
    if not email:
        raise StorageError(400, "required", "Required parameter: serviceAccountEmail")
    if not _EMAIL.fullmatch(email):
        raise StorageError(404, "notFound", f"Service Account '{email[:100]}' not found.")
    now = store.clock.time()
    identity = "GOOG1E" + base64.b32encode(secrets.token_bytes(35)).decode()[:55]
    key = store.hmac_keys.save(HmacKey(identity, project, email, _ACTIVE, now, now))
    secret = base64.b64encode(secrets.token_bytes(30)).decode()
    return json_answer({"kind": "storage#hmacKey", "metadata": _resource(key, request), "secret": secret})


async def list_keys(store: Store, request: Request, project: str) -> Answer:
    """GET /projects/P/hmacKeys"""
    query = request.query
    email, after = query.get("serviceAccountEmail", ""), decode_token(query.get("pageToken", ""))[0]
    keys = [
        key
        for key in _keys(store, project)
        if key.id > after and email in {"", key.email} and (key.state != DELETED or request.flag("showDeletedKeys"))
    ]
    limit = min(number(query, "maxResults") or _PAGE, _PAGE)
    answer: dict[str, Any] = {"kind": "storage#hmacKeysMetadata"}
    if keys:
        answer["items"] = [_resource(key, request) for key in keys[:limit]]
    if len(keys) > limit:
        answer["nextPageToken"] = encode_token((keys[limit - 1].id, 0))
    return json_answer(answer)


async def get_key(store: Store, request: Request, project: str, identity: str) -> Answer:
    """GET /projects/P/hmacKeys/ID"""
    return json_answer(_resource(_find(store, project, identity), request))


async def update_key(store: Store, request: Request, project: str, identity: str) -> Answer:
    """PUT /projects/P/hmacKeys/ID: sets the state, on condition that the key has the `etag` of the body."""
    body = await request.json(MAX_BODY_BYTES)
    key = _find(store, project, identity)
    if body.get("state") not in (_ACTIVE, _INACTIVE):
        raise invalid(f"Invalid state {str(body.get('state'))[:40]!r}: use {_ACTIVE} or {_INACTIVE}.")
    if body.get("etag") not in (None, "", _etag(key)):
        raise StorageError(412, "conditionNotMet", "Etag does not match expected value.", "PreconditionFailed")
    if key.state == DELETED:
        raise invalid("Cannot update keys in DELETED state.")
    return json_answer(_resource(_set(store, key, body["state"]), request))


async def delete_key(store: Store, _request: Request, project: str, identity: str) -> Answer:
    """DELETE /projects/P/hmacKeys/ID, of an inactive key."""
    key = _find(store, project, identity)
    if key.state != _INACTIVE:
        raise invalid(f"Cannot delete keys in {key.state} state.")
    _set(store, key, DELETED)
    return empty_answer(204)


def _keys(store: Store, project: str) -> list[HmacKey]:
    """The keys of a project, which requests name by its id or by its number."""
    return [key for key in store.hmac_keys.all(store.clock.time()) if project_number(key.project) == project_number(project)]


def _find(store: Store, project: str, identity: str) -> HmacKey:
    for key in _keys(store, project):
        if key.id == identity:
            return key
    raise StorageError(404, "notFound", f"Access ID not found in project {project[:100]}.")


def _set(store: Store, key: HmacKey, state: str) -> HmacKey:
    return store.hmac_keys.save(replace(key, state=state, updated=store.clock.time(), number=key.number + 1))


def _etag(key: HmacKey) -> str:
    return etag(0, key.number)


def _resource(key: HmacKey, request: Request) -> dict[str, Any]:
    return {
        "kind": "storage#hmacKeyMetadata",
        "id": f"{key.project}/{key.id}",
        "selfLink": f"{request.base}/storage/v1/projects/{key.project}/hmacKeys/{key.id}",
        "accessId": key.id,
        "projectId": key.project,
        "serviceAccountEmail": key.email,
        "state": key.state,
        "timeCreated": rfc3339(key.created),
        "updated": rfc3339(key.updated),
        "etag": _etag(key),
    }
