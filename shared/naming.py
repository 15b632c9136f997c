"""Names of objects: the name a door gives to an upload, and the limits Cloud Storage sets. Pure.

A door's name begins with 26 random characters, so that it can be neither guessed nor taken; the client's own name follows.
"""

import base64
import hashlib
import re
import secrets
import unicodedata

from shared.errors import BadRequest

#: Limit of a client's file name: the limit of common file systems, where downloads end up.
MAX_BYTES = 255
#: Limit of an object's name in Cloud Storage.
MAX_OBJECT_BYTES = 1024
#: Limit of an output's own name, which is the last part of its object's name.
MAX_OUTPUT_BYTES = 64
#: The operator's own objects in the results bucket begin so.
ASSETS = "assets/"
MAX_ASSET_BYTES = 512
#: Stands for the stem of the file's name in the text options and in the input of a step.
STEM = "{stem}"
_RANDOM = re.compile(r"[a-z2-7]{26}/")
MAX_STEM_BYTES = 40


def object_name(name: str, seed: bytes = b"", number: int = 0) -> str:
    """`<26 characters>/<cleaned name>`: random, or derived from a key's seed and the file's number."""
    drawn = hashlib.sha256(seed + str(number).encode()).digest() if seed else secrets.token_bytes(32)
    return f"{base64.b32encode(drawn).decode().lower()[:26]}/{clean(name)}"


def own(name: str) -> str:
    """The client's own name of an object that came through a door; else the whole name."""
    return _RANDOM.sub("", name, count=1) if _RANDOM.match(name) else name


def is_possible(name: str) -> bool:
    """Whether Cloud Storage allows this object name (https://cloud.google.com/storage/docs/objects#naming)."""
    try:
        size = len(name.encode())
    except UnicodeEncodeError:
        return False
    is_reserved = name in (".", "..") or name.startswith(".well-known/acme-challenge/") or "\r" in name or "\n" in name
    return 1 <= size <= MAX_OBJECT_BYTES and not is_reserved


def is_output(name: str) -> bool:
    """Whether a processor may give an output this name: 1 to 64 bytes of printable UTF-8, without a slash."""
    is_printable = name.isprintable() and "/" not in name and name not in (".", "..")
    return is_printable and 1 <= len(name.encode()) <= MAX_OUTPUT_BYTES


def is_asset(name: str) -> bool:
    """Whether an asset may have this object name."""
    return name.startswith(ASSETS) and is_possible(name) and len(ASSETS) < len(name.encode()) <= MAX_ASSET_BYTES


def stem(name: str) -> str:
    """The last part of an object's name without its extension, of at most 40 bytes, as a part of an output's name.

    Characters that such a name cannot have become `_`, and so do braces, which stand for other parts of it.
    """
    last = name.rstrip("/").rpartition("/")[2]
    whole = last.rpartition(".")[0] or last or "_"
    printable = "".join(character if character.isprintable() and character not in "{}" else "_" for character in whole)
    return "_" if printable in (".", "..") else printable.encode()[:MAX_STEM_BYTES].decode(errors="ignore")


def clean(name: str) -> str:
    """The last part of a path. Raises `BadRequest` for an empty, unprintable or too long one."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    if last in ("", ".", ".."):
        raise BadRequest(f"{name[:80]!r} is not a file name; send one such as photo.jpg", "bad_name")
    if any(unicodedata.category(character) in ("Cc", "Cs") or character == "\ufffd" for character in last):
        raise BadRequest("the name has control characters or is not UTF-8; send a printable one", "bad_name")
    if len(last.encode()) > MAX_BYTES:
        raise BadRequest(f"the name has {len(last.encode())} bytes; the limit is {MAX_BYTES}", "bad_name")
    return last
