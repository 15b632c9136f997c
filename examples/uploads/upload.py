"""Upload a file of any size, go on after a cut or a crash, and wait for the verdict. No package is needed.

    python upload.py video.mp4 video/mp4

Run it again after whatever stopped it: `video.mp4.upload` remembers the upload, until it has ended.

On this machine: `make up`, and in this shell `eval "$(.venv/bin/python -m local env)"`. In Google Cloud:

    eval "$(./deploy.sh env --project my-project)"
    export IDENTITY_TOKEN=$(gcloud auth print-identity-token)    # of an account with roles/run.invoker on issuer and status
"""

import json
import mimetypes
import os
import sys
import time
import urllib.error
import urllib.request
import uuid
from pathlib import Path
from typing import NamedTuple

CHUNK_BYTES = 8 << 20  # a multiple of 256 KiB, as Cloud Storage asks
LONGEST_PAUSE_SECONDS = 30
#: States of a file that still change.
IN_WORK = ("accepted", "processing")


class Answer(NamedTuple):
    """Status, headers by any case of their names, and body."""

    status: int
    headers: dict[str, str]
    body: bytes


def call(method: str, url: str, headers: dict[str, str], body: bytes | None = None) -> Answer:
    """One request; any status is an answer. Raises OSError without one."""
    request = urllib.request.Request(url, body, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=120) as answer:
            return Answer(answer.status, {name.lower(): value for name, value in answer.headers.items()}, answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, {name.lower(): value for name, value in error.headers.items()}, error.read())


def patiently(method: str, url: str, headers: dict[str, str], body: bytes | None = None) -> Answer:
    """The same, repeated while the network or the server fails. Every request here may be repeated."""
    pause = 1.0
    while True:
        try:
            answer = call(method, url, headers, body)
            if answer.status not in (408, 429) and answer.status < 500:
                return answer
            problem = f"status {answer.status}"
            pause = max(pause, float(answer.headers.get("retry-after", 0)))
        except OSError as error:
            problem = str(error)
        print(f"again in {pause:.0f} s: {problem}", file=sys.stderr)
        time.sleep(pause)
        pause = min(pause * 2, LONGEST_PAUSE_SECONDS)


def authorization() -> dict[str, str]:
    """The header of a caller whom Cloud Run admits; on this machine none is needed."""
    token = os.environ.get("IDENTITY_TOKEN")
    return {"Authorization": f"Bearer {token}"} if token else {}


def begin(file: Path, content_type: str) -> dict[str, str]:
    """Ask for a signed URL and start an upload session. The key makes a repeat name the same object."""
    asked = {"name": file.name, "content_type": content_type, "size": file.stat().st_size, "resumable": True}
    headers = {"Content-Type": "application/json", "Idempotency-Key": str(uuid.uuid4()), **authorization()}
    answer = patiently("POST", os.environ["SLUICE_ISSUER_URL"], headers, json.dumps(asked).encode())
    ticket = json.loads(expect(answer, 200).body)
    started = expect(patiently("POST", ticket["url"], ticket["headers"], b""), 201, 200)
    return {"session": started.headers["location"], "status_url": ticket["status_url"]}


def expect(answer: Answer, *statuses: int) -> Answer:
    """The answer, if it has one of these statuses; otherwise the program ends with the server's words."""
    if answer.status not in statuses:
        sys.exit(f"status {answer.status}: {answer.body.decode(errors='replace')}")
    return answer


def send(file: Path, session: str) -> bool:
    """Send what is missing, chunk by chunk. False: the session has expired, or was cancelled."""
    size = file.stat().st_size
    answer = patiently("PUT", session, {"Content-Range": f"bytes */{size}"}, b"")
    with file.open("rb") as stream:
        while answer.status == 308:  # Cloud Storage: "Resume Incomplete"; Range says what it has
            _, _, last = answer.headers.get("range", "bytes=0--1").partition("-")
            begin = stream.seek(int(last) + 1)
            chunk = stream.read(CHUNK_BYTES)
            print(f"{begin} of {size} bytes", file=sys.stderr)
            try:
                answer = call("PUT", session, {"Content-Range": f"bytes {begin}-{begin + len(chunk) - 1}/{size}"}, chunk)
            except OSError:
                answer = Answer(503, {}, b"")
            if answer.status >= 500:
                answer = patiently("PUT", session, {"Content-Range": f"bytes */{size}"}, b"")
    return answer.status not in (404, 410) and bool(expect(answer, 200, 201))


def upload(file: Path, content_type: str) -> str:
    """Send the file, in the session of an earlier run if there is one. Gives its status URL."""
    memory = file.with_name(f"{file.name}.upload")
    version = f"{file.stat().st_size} {file.stat().st_mtime_ns}"
    while True:
        known = json.loads(memory.read_text()) if memory.exists() else {}
        if known.get("version") != version:
            known = begin(file, content_type) | {"version": version}
            memory.touch(mode=0o600)  # who has the session's URL may send the file
            memory.write_text(json.dumps(known))
        is_sent = send(file, known["session"])
        memory.unlink()
        if is_sent:
            return str(known["status_url"])


def verdict(status_url: str) -> dict[str, object]:
    """Ask until the file has its verdict. With the ETag of the last answer, one without news has no body."""
    headers, pause = authorization(), 0.25
    while True:
        answer = patiently("GET", status_url, headers)
        if answer.status != 304:
            found: dict[str, object] = json.loads(expect(answer, 200).body)
            if found["state"] not in IN_WORK:
                return found
            headers["If-None-Match"] = answer.headers["etag"]
        time.sleep(pause)
        pause = min(pause * 1.5, LONGEST_PAUSE_SECONDS)


def main() -> None:
    """Print the verdict, and each output with its address. The exit status is 0 if all steps succeeded."""
    file = Path(sys.argv[1])
    content_type = sys.argv[2] if len(sys.argv) > 2 else mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    job = verdict(upload(file, content_type))
    print(job["state"], job["object"])
    for step in job["steps"]:  # type: ignore[attr-defined]
        print(step["step"], step["verdict"], step["reason"], *(output["url"] for output in step["outputs"]))
    sys.exit(job["state"] != "succeeded")


if __name__ == "__main__":
    main()
