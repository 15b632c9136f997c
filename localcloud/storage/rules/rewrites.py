"""Rewrites in several calls.

Any token of a rewrite continues it from its current progress: gsutil sends the first token with every call. The progress is in
memory; a token also carries it, for the calls after a restart.
https://cloud.google.com/storage/docs/json_api/v1/objects/rewrite
"""

import base64
import hashlib
import json
from collections.abc import Mapping
from typing import Any

from localcloud.storage.errors import StorageError, invalid_parameter
from localcloud.storage.model import Object
from localcloud.storage.rules.conditions import number

_UNIT_BYTES = 1 << 20


def next_step(
    query: Mapping[str, str], source: Object, destination: tuple[Any, ...], moves: bool, progress: dict[str, int]
) -> tuple[int, str]:
    """The number of bytes rewritten after this call, and the token of the next one: "" when the rewrite is complete.

    `progress` counts the bytes of each unfinished rewrite; it is updated.
    `maxBytesRewrittenPerCall` counts only where bytes must move: to another location or storage class. All that defines the
    rewrite, the limit included, must be the same in each call.
    """
    limit = number(query, "maxBytesRewrittenPerCall")
    if limit is not None and (limit == 0 or limit % _UNIT_BYTES):
        raise invalid_parameter("maxBytesRewrittenPerCall", f"Must be a multiple of {_UNIT_BYTES}, not {limit}.")
    identity = [source.bucket, source.name, source.generation, *destination, limit]
    digest = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()
    done = max(_decode(query["rewriteToken"], digest), progress.get(digest, 0)) if query.get("rewriteToken") else 0
    done = done + limit if limit and moves else source.size
    if done >= source.size:
        progress.pop(digest, None)
        return source.size, ""
    progress[digest] = done
    return done, base64.urlsafe_b64encode(json.dumps([digest, done]).encode()).decode()


def _decode(token: str, digest: str) -> int:
    try:
        known, done = json.loads(base64.urlsafe_b64decode(token))
        if known == digest and type(done) is int and done > 0:
            return done
    except (ValueError, TypeError, RecursionError):
        pass
    raise _wrong_token()


def _wrong_token() -> StorageError:
    same = "source, destination, metadata and maxBytesRewrittenPerCall must be those of the call that returned it"
    return invalid_parameter("rewriteToken", f"Invalid rewriteToken: {same}.")
