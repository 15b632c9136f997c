"""How the doors name an upload: something nobody can guess or collide with, then the name its sender gave it. Pure."""

import base64
import hashlib
import secrets
import unicodedata

from shared.errors import BadRequest

#: The sender's name is kept for people to read; 255 bytes is what file systems allow.
MAX_BYTES = 255
MAX_KEY_BYTES = 255
#: Of an object's name in Cloud Storage.
MAX_OBJECT_BYTES = 1024


def object_name(name: str, key: str = "", number: int = 0) -> str:
    """`<26 characters>/<cleaned name>`: random, or always the same for one idempotency key and place in its request."""
    if len(key.encode()) > MAX_KEY_BYTES:
        raise BadRequest(f"Idempotency-Key has more than {MAX_KEY_BYTES} bytes", "bad_key")
    seed = hashlib.sha256(f"{key}\0{number}".encode()).digest() if key else secrets.token_bytes(32)
    return f"{base64.b32encode(seed).decode().lower()[:26]}/{clean(name)}"


def is_possible(name: str) -> bool:
    """Whether an object may have this name at all (https://cloud.google.com/storage/docs/objects#naming)."""
    try:
        size = len(name.encode())
    except UnicodeEncodeError:
        return False
    is_kept = name in (".", "..") or name.startswith(".well-known/acme-challenge/") or "\r" in name or "\n" in name
    return 1 <= size <= MAX_OBJECT_BYTES and not is_kept


def clean(name: str) -> str:
    """The last part of a path. Raises `BadRequest` for a name that no object can have, or that nobody could read back."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    if last in ("", ".", ".."):
        raise BadRequest(f"{name[:80]!r} names no file; give a name such as photo.jpg", "bad_name")
    if any(unicodedata.category(character) in ("Cc", "Cs") or character == "\ufffd" for character in last):
        raise BadRequest("the name has control characters or is not UTF-8; give a printable one", "bad_name")
    if len(last.encode()) > MAX_BYTES:
        raise BadRequest(f"the name has {len(last.encode())} bytes; at most {MAX_BYTES} are kept", "bad_name")
    return last
