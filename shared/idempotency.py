"""Idempotency keys: what a key must be like, and the seed of the names that it leads to. Pure.

The seed decides the name, and the name leads to the file. So the seed is made with a secret of the deployment, and with the caller:
no other caller's key leads to the same name. A caller without a verified identity needs a key that cannot be guessed.
"""

import hashlib
import hmac
import json
import re

from shared.errors import BadRequest

MAX_KEY_BYTES = 255
#: Fewer different characters than these have no random key, but for one in a billion.
MIN_DIFFERENT = 6

#: RFC 9562 §5.4: 122 of its 128 bits are random. Other versions hold the time, an address or the hash of a name.
_UUID4 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", re.IGNORECASE)
#: Four bits a digit. A number without a letter counts something, but for one random key in three million.
_HEX = re.compile(r"(?=.*[a-fA-F])([0-9a-f]{32,}|[0-9A-F]{32,})")
#: RFC 4648 §4 and §5, six bits a character. Words and numbers with hyphens have letters of one case.
_BASE64 = re.compile(r"(?=.*[a-z])(?=.*[A-Z])([A-Za-z0-9+/]{22,}|[A-Za-z0-9_-]{22,})={0,2}")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def seed(key: str, caller: str, secret: str) -> bytes:
    """The seed of this key's object names. `caller` is a verified identity, empty without one.

    Raises `BadRequest`: `bad_key` for an empty or too long key, `weak_key` for one that can be guessed by other callers.
    """
    key = key[1:-1] if len(key) > 1 and key[0] == key[-1] == '"' else key
    if not key or len(key.encode()) > MAX_KEY_BYTES:
        raise BadRequest(f"Idempotency-Key is empty or has more than {MAX_KEY_BYTES} bytes; send a UUID, or no key", "bad_key")
    if not caller and not is_random(key):
        remedy = "without a verified identity, send 128 random bits: `uuidgen` or `openssl rand -hex 16` prints such a key"
        raise BadRequest(f"Idempotency-Key can be guessed by other callers; {remedy}", "weak_key")
    return hmac.digest(secret.strip().encode(), json.dumps([caller, key]).encode(), hashlib.sha256)


def is_random(key: str) -> bool:
    """Whether a key has the form of 128 random bits, and is not plainly made up.

    That is a UUID of version 4, 32 hexadecimal digits, or 22 characters of base64 or base64url with letters of both cases.
    """
    if not (_UUID4.fullmatch(key) or _HEX.fullmatch(key) or (_BASE64.fullmatch(key) and not _UUID.fullmatch(key))):
        return False
    plain = key.rstrip("=").replace("-", "").lower()
    is_repeated = plain in (plain + plain)[1:-1]
    return len(set(plain)) >= MIN_DIFFERENT and not is_repeated
