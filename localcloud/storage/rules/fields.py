"""Partial responses: the parameter `fields` of the JSON API. Pure.

https://cloud.google.com/storage/docs/json_api#partial-response

A mask maps a field to the mask of its value; an empty mask selects the whole value, `*` every field.
The answers of the API are described by masks too: those of all their fields.
"""

import json
import re
from collections import deque
from typing import Any

from localcloud.http import Answer, json_bytes_answer
from localcloud.storage.errors import StorageError, invalid_parameter

Mask = dict[str, "Mask"]

_TOKEN = re.compile(r"[^,()/]+|[,()/]")
_MAX_DEPTH = 50

_OBJECT = """
acl(bucket,domain,email,entity,entityId,etag,generation,id,kind,object,projectTeam(projectNumber,team),role,selfLink),bucket,
cacheControl,componentCount,contentDisposition,contentEncoding,contentLanguage,contentType,contexts/custom/*,crc32c,customTime,
customerEncryption(encryptionAlgorithm,keySha256),etag,eventBasedHold,generation,hardDeleteTime,id,kind,kmsKeyName,md5Hash,
mediaLink,metadata/*,metageneration,name,owner(entity,entityId),restoreToken,retention(mode,retainUntilTime),
retentionExpirationTime,selfLink,size,softDeleteTime,storageClass,temporaryHold,timeCreated,timeDeleted,timeFinalized,
timeStorageClassUpdated,updated"""
_BUCKET = """
acl(bucket,domain,email,entity,entityId,etag,id,kind,projectTeam(projectNumber,team),role,selfLink),
autoclass(enabled,terminalStorageClass,terminalStorageClassUpdateTime,toggleTime),billing(requesterPays),
cors(maxAgeSeconds,method,origin,responseHeader),customPlacementConfig(dataLocations),defaultEventBasedHold,
defaultObjectAcl(domain,email,entity,entityId,etag,kind,projectTeam(projectNumber,team),role),
encryption/*,etag,generation,hardDeleteTime,hierarchicalNamespace(enabled),
iamConfiguration(bucketPolicyOnly(enabled,lockedTime),publicAccessPrevention,uniformBucketLevelAccess(enabled,lockedTime)),id,
ipFilter/*,kind,labels/*,lifecycle(rule(action(storageClass,type),condition(age,createdBefore,customTimeBefore,
daysSinceCustomTime,daysSinceNoncurrentTime,isLive,matchesPattern,matchesPrefix,matchesStorageClass,matchesSuffix,
noncurrentTimeBefore,numNewerVersions))),location,locationType,logging(logBucket,logObjectPrefix),metageneration,name,
objectRetention(mode),owner(entity,entityId),projectNumber,retentionPolicy(effectiveTime,isLocked,retentionPeriod),rpo,
satisfiesPZI,satisfiesPZS,selfLink,softDeletePolicy(effectiveTime,retentionDurationSeconds),softDeleteTime,storageClass,
timeCreated,updated,versioning(enabled),website(mainPageSuffix,notFoundPage)"""
_POLICY = "bindings(condition(description,expression,location,title),members,role),etag,kind,resourceId,version"
_NOTIFICATION = "custom_attributes/*,etag,event_types,id,kind,object_name_prefix,payload_format,selfLink,topic"
_HMAC_KEY = "accessId,etag,id,kind,projectId,selfLink,serviceAccountEmail,state,timeCreated,updated"
_FOLDER = "bucket,createTime,id,kind,metageneration,name,pendingRenameInfo(operationId),selfLink,updateTime"
_LAYOUT = "bucket,customPlacementConfig(dataLocations),hierarchicalNamespace(enabled),kind,location,locationType"

#: Operation → all fields of its answer; the name of a resource stands for its other operations.
_ANSWERS = {
    "buckets": _BUCKET,
    "buckets.list": f"items({_BUCKET}),kind,nextPageToken,unreachable",
    "buckets.getIamPolicy": _POLICY,
    "buckets.setIamPolicy": _POLICY,
    "buckets.testIamPermissions": "kind,permissions",
    "buckets.getStorageLayout": _LAYOUT,
    "folders": f"items({_FOLDER}),kind,nextPageToken",
    "managedFolders": f"items({_FOLDER}),kind,nextPageToken",
    "projects.hmacKeys": _HMAC_KEY,
    "projects.hmacKeys.create": f"kind,metadata({_HMAC_KEY}),secret",
    "projects.hmacKeys.list": f"items({_HMAC_KEY}),kind,nextPageToken",
    "notifications": _NOTIFICATION,
    "notifications.list": f"items({_NOTIFICATION}),kind",
    "objects": _OBJECT,
    "objects.list": f"items({_OBJECT}),kind,nextPageToken,prefixes",
    "objects.rewrite": f"done,kind,objectSize,resource({_OBJECT}),rewriteToken,totalBytesRewritten",
    "projects.serviceAccount": "email_address,kind",
}


def selection(operation: str, fields: str) -> Mask:
    """The mask in a request's `fields`; {} selects the whole answer. 400 for a malformed mask or an unknown field."""
    if not fields or operation.endswith("get (media)"):
        return {}
    mask = parse_mask(fields)
    _check(mask, answer_fields(operation))
    return mask


def answer_fields(operation: str) -> Mask:
    """All fields of an operation's answer."""
    described = _ANSWERS.get(operation) or _ANSWERS[operation.rpartition(".")[0]]
    return parse_mask(described.replace("\n", ""))


def partial_answer(answer: Answer, mask: Mask) -> Answer:
    """The answer with the selected fields only. Refusals and empty answers stay whole."""
    if not mask or answer.status != 200 or not answer.body or not isinstance(answer.body, bytes):
        return answer
    selected = json.dumps(select(json.loads(answer.body), mask)).encode()
    return json_bytes_answer(selected, answer.status, *(pair for pair in answer.headers if pair[0] != b"content-type"))


def select(value: Any, mask: Mask) -> Any:
    """The selected part of a JSON value: of a list, that of each element."""
    if not mask:
        return value
    if isinstance(value, list):
        return [select(item, mask) for item in value]
    if not isinstance(value, dict):
        return value
    chosen = ((key, mask.get(key, mask.get("*"))) for key in value)
    return {key: select(value[key], inner) for key, inner in chosen if inner is not None}


def parse_mask(text: str) -> Mask:
    """Read `kind,items(name,metadata/owner)`; 400 for anything else."""
    tokens = deque(_TOKEN.findall(text))
    mask = _parse_list(tokens, text, 0)
    if tokens:
        raise _invalid(text)
    return mask


def _parse_list(tokens: deque[str], text: str, depth: int) -> Mask:
    """Consume a list of fields; stops at the end, or at the parenthesis that closes it."""
    mask: Mask = {}
    while True:
        _merge(mask, *_parse_field(tokens, text, depth))
        if not tokens or tokens[0] != ",":
            return mask
        tokens.popleft()


def _parse_field(tokens: deque[str], text: str, depth: int) -> tuple[str, Mask]:
    name = tokens.popleft().strip() if tokens else ""
    if name in {"", ",", "(", ")", "/"} or depth > _MAX_DEPTH:
        raise _invalid(text)
    mark = tokens[0] if tokens else ""
    if mark == "/":
        tokens.popleft()
        key, inner = _parse_field(tokens, text, depth + 1)
        return name, {key: inner}
    if mark != "(":
        return name, {}
    tokens.popleft()
    inner = _parse_list(tokens, text, depth + 1)
    if not tokens or tokens.popleft() != ")":
        raise _invalid(text)
    return name, inner


def _merge(mask: Mask, name: str, inner: Mask) -> None:
    """Add a field; a field that is selected whole stays whole."""
    known = mask.setdefault(name, inner)
    if known is inner:
        return
    if not inner:
        mask[name] = inner
    elif known:
        for key, value in inner.items():
            _merge(known, key, value)


def _check(mask: Mask, known: Mask) -> None:
    for name, inner in mask.items():
        if name == "*":
            continue
        below = known.get(name, known.get("*"))
        if below is None or (inner and not below):
            raise _invalid(name if below is None else next(iter(inner)))
        _check(inner, below)


def _invalid(field: str) -> StorageError:
    return invalid_parameter("fields", f"Invalid field selection {field[:80]}")
