"""Objects in buckets: uploads of every kind, reading, listing, deleting."""

import base64
import hashlib
import json
import re
from urllib.parse import quote

from tests.deploy.stub.wire import Api, Call, Json, Raw, Refused
from tests.deploy.stub.world import World

OBJECTS = "/storage/v1/b/{bucket}/o"
UPLOAD = "/upload/storage/v1/b/{bucket}/o"


def serve(api: Api) -> None:
    """Add the routes of objects to the API of buckets."""
    api.route("GET", OBJECTS)(listing)
    api.route("GET", OBJECTS + "/{object}")(describe)
    api.route("GET", "/download" + OBJECTS + "/{object}")(describe)
    api.route("DELETE", OBJECTS + "/{object}")(delete)
    api.route("POST", UPLOAD)(upload)
    api.route("PUT", UPLOAD)(finish)


def listing(world: World, call: Call) -> Json:
    world.get(f"buckets/{call.named['bucket']}")
    folder = f"buckets/{call.named['bucket']}/o/"
    prefix = folder + quote(call.query.get("prefix", ""), safe="")
    found = [value for name, value in sorted(world.resources.items()) if name.startswith(prefix)]
    return {"kind": "storage#objects", "items": found}


def describe(world: World, call: Call) -> Json | Raw:
    found = world.get(_name(call.named["bucket"], call.named["object"]))
    if call.query.get("alt") == "media":
        return Raw(world.contents[_name(call.named["bucket"], call.named["object"])], {"content-type": found["contentType"]})
    return found


def delete(world: World, call: Call) -> Json:
    name = _name(call.named["bucket"], call.named["object"])
    world.contents.pop(name, None)
    world.delete(name)
    return {}


def upload(world: World, call: Call) -> Json | Raw:
    world.get(f"buckets/{call.named['bucket']}")
    kind = call.query.get("uploadType")
    if kind == "multipart":
        metadata, content = _parts(call)
        return store(world, call.named["bucket"], {**metadata, **_named(call)}, content)
    if kind == "media":
        return store(world, call.named["bucket"], _named(call), call.raw)
    session = f"session-{world.number()}"
    world.operations[session] = {"metadata": {**call.body, **_named(call)}, "content": b""}
    location = f"https://storage.googleapis.com{call.path}?uploadType=resumable&upload_id={session}"
    return Raw(b"", {"location": location, "x-goog-upload-url": location})


def finish(world: World, call: Call) -> Json | Raw:
    """One chunk of a resumable upload; the last one carries the total."""
    session = world.operations[call.query["upload_id"]]
    session["content"] += call.raw
    if call.headers.get("content-range", "").endswith("/*"):
        return Raw(b"", {"range": f"bytes=0-{len(session['content']) - 1}"}, 308)
    return store(world, call.named["bucket"], session["metadata"], session["content"])


def store(world: World, bucket: str, metadata: Json, content: bytes) -> Json:
    """An object with this content; one of the same name is replaced."""
    name, generation = metadata["name"], str(world.number())
    made = {
        "kind": "storage#object",
        "id": f"{bucket}/{name}/{generation}",
        "contentType": "application/octet-stream",
        **metadata,
        "bucket": bucket,
        "generation": generation,
        "metageneration": "1",
        "size": str(len(content)),
        "md5Hash": base64.b64encode(hashlib.md5(content).digest()).decode(),
        "mediaLink": f"https://storage.googleapis.com/download/storage/v1/b/{bucket}/o/{quote(name, safe='')}?alt=media",
    }
    world.resources[_name(bucket, name)] = made
    world.contents[_name(bucket, name)] = content
    return made


def _parts(call: Call) -> tuple[Json, bytes]:
    """The two parts of multipart/related, split by hand: `email` would corrupt binary content."""
    found = re.search(r"boundary=[\"']?([^\"';]+)", call.headers["content-type"])
    if not found:
        raise Refused(400, "The multipart upload names no boundary.")
    delimiter = b"--" + found[1].encode()
    _, first, second, _ = call.raw.split(delimiter)
    return json.loads(_content(first)), _content(second)


def _content(part: bytes) -> bytes:
    body = re.split(rb"\r?\n\r?\n", part, maxsplit=1)[1]
    return body.removesuffix(b"\n").removesuffix(b"\r")


def _named(call: Call) -> Json:
    return {"name": call.query["name"]} if "name" in call.query else {}


def _name(bucket: str, name: str) -> str:
    return f"buckets/{bucket}/o/{quote(name, safe='')}"
