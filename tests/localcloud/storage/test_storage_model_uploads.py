"""Hypothesis against a small model of resumable uploads, broken connections and restarts included."""

import base64
from dataclasses import dataclass

import google_crc32c
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from localcloud.http import Answer, Disconnected
from tests.localcloud.storage.direct import LIMITS, LONG, service

BLOCK = 8  # as in `Service`

pytestmark = pytest.mark.usefixtures("closed_service")


@dataclass
class Session:
    """The model of a resumable upload."""

    location: str
    data: bytes
    is_declared: bool
    is_create_only: bool
    received: int = 0
    state: str = "open"


class Uploads(RuleBasedStateMachine):
    """Resumable uploads to one name: pieces repeated, overlapping or cut off, status queries and restarts."""

    def __init__(self) -> None:
        super().__init__()
        self.service = service()
        self.bucket = self.service.bucket()
        self.live: bytes | None = None

    sessions: Bundle[Session] = Bundle("sessions")

    @rule(
        target=sessions,
        data=st.integers(0, 60).map(lambda size: bytes(range(size))),
        is_declared=st.booleans(),
        is_create_only=st.booleans(),
    )
    def start(self, data: bytes, is_declared: bool, is_create_only: bool) -> Session:
        url = f"/upload/storage/v1/b/{self.bucket}/o?uploadType=resumable&name=x" + (
            "&ifGenerationMatch=0" if is_create_only else ""
        )
        length = {"x_upload_content_length": str(len(data))} if is_declared else {"x_other": ""}
        answer = self.service.call("POST", url, b"", broken=False, **length)
        location = dict(answer.headers)[b"location"].decode().removeprefix("http://localhost")
        return Session(location, data, is_declared, is_create_only)

    @rule(session=sessions, back=st.integers(0, 20), length=st.integers(1, 40), says_total=st.booleans(), breaks=st.booleans())
    def send(self, session: Session, back: int, length: int, says_total: bool, breaks: bool) -> None:
        first = max(0, session.received - back)
        piece = session.data[first : first + length]
        if not piece:
            return
        total, end = str(len(session.data)) if says_total else "*", first + len(piece)
        span = f"bytes {first}-{end - 1}/{total}"
        is_end = end == len(session.data) and (says_total or session.is_declared)
        try:
            answer = self.service.call("PUT", session.location, piece, broken=breaks, content_range=span)
        except Disconnected:
            session.received = max(session.received, end - end % BLOCK)
            return
        if session.state == "open" and len(piece) < BLOCK and not is_end:
            assert answer.status == 400
            session.state = "gone"
        elif session.state == "open":
            session.received = max(session.received, end if is_end else end - end % BLOCK)
            self.expect(session, answer, says_total)
        else:
            self.expect(session, answer, says_total)

    @rule(session=sessions, beyond=st.integers(1, 9))
    def leave_a_gap(self, session: Session, beyond: int) -> None:
        first = session.received + beyond
        if session.state == "open" and first < len(session.data):
            answer = self.service.call("PUT", session.location, b"x", content_range=f"bytes {first}-{first}/*")
            assert answer.status == 400

    @rule(session=sessions, says_total=st.booleans())
    def ask(self, session: Session, says_total: bool) -> None:
        total = str(len(session.data)) if says_total else "*"
        self.expect(session, self.service.call("PUT", session.location, content_range=f"bytes */{total}"), says_total)

    @rule(session=sessions)
    def finish_with_the_checksum(self, session: Session) -> None:
        rest, total = session.data[session.received :], len(session.data)
        span = f"bytes {session.received}-{total - 1}/{total}" if rest else f"bytes */{total}"
        claim = "crc32c=" + base64.b64encode(google_crc32c.Checksum(session.data).digest()).decode()
        if session.state == "open":
            session.received = total
        self.expect(session, self.service.call("PUT", session.location, rest, content_range=span, x_goog_hash=claim), True)

    @rule(session=sessions)
    def cancel(self, session: Session) -> None:
        answer = self.service.call("DELETE", session.location)
        assert answer.status == (410 if session.state == "gone" else 499)
        session.state = "gone"

    @rule()
    def restart(self) -> None:
        self.service.restart()

    @invariant()
    def the_object_is_whole_or_missing(self) -> None:
        assert self.service.read(self.bucket, "x") == self.live

    def expect(self, session: Session, answer: Answer, says_total: bool) -> None:
        """Check the answer, and update the model."""
        if session.state != "open":
            assert answer.status == (200 if session.state == "done" else 410)
            return
        if session.received < len(session.data) or not (says_total or session.is_declared):
            wanted = [(b"range", f"bytes=0-{session.received - 1}".encode())] if session.received else []
            assert (answer.status, [header for header in answer.headers if header[0] == b"range"]) == (308, wanted)
        elif session.is_create_only and self.live is not None:
            assert answer.status == 412
            session.state = "gone"
        else:
            assert answer.status == 200
            session.state, self.live = "done", session.data


TestUploads = Uploads.TestCase
TestUploads.settings = LIMITS


@pytest.mark.long
class TestMoreUploads(Uploads.TestCase):  # type: ignore[misc,valid-type]  # made by Hypothesis
    settings = LONG
