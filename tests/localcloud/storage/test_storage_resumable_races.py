"""Concurrent requests to one session: a client resends the end of an upload while the first request still runs."""

from collections.abc import Coroutine, Iterator
from typing import Any

import pytest

from localcloud.http import Answer
from localcloud.storage.media import resumable
from tests.localcloud.storage.direct import Service, close_service, service, shown

DATA = bytes(range(200))  # 25 blocks


@pytest.fixture
def direct(monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    monkeypatch.setattr(resumable, "_READ_BYTES", 50)  # so that computing checksums yields several times
    yield service()
    close_service()


def turn_by_turn(*requests: Coroutine[Any, None, Answer], first_alone: int) -> list[Answer]:
    """The answers to concurrent requests; the first runs `first_alone` turns before the others begin."""
    answers: dict[int, Answer] = {}
    turn = 0
    while len(answers) < len(requests):
        for number, request in enumerate(requests):
            if number in answers or (number and turn < first_alone and 0 not in answers):
                continue
            try:
                request.send(None)
            except StopIteration as done:
                answers[number] = done.value
        turn += 1
    return [answers[number] for number in range(len(requests))]


@pytest.mark.parametrize("first_alone", range(5))
@pytest.mark.parametrize("resent", [16, 0])
def test_an_upload_ended_twice_at_once_is_one_object(direct: Service, resent: int, first_alone: int) -> None:
    bucket = direct.bucket()
    started = direct.call("POST", f"/upload/storage/v1/b/{bucket}/o?uploadType=resumable&name=a")
    location = dict(started.headers)[b"location"].decode().partition("localhost")[2]
    begun = len(DATA) - resent
    direct.call("PUT", location, DATA[:begun], content_range=f"bytes 0-{begun - 1}/*")
    direct.restart()  # checksums are not stored: they are computed again
    span = f"bytes {begun}-{len(DATA) - 1}/{len(DATA)}" if resent else f"bytes */{len(DATA)}"

    ends = [direct.request("PUT", location, DATA[begun:], content_range=span) for _ in range(2)]
    answers = turn_by_turn(*(direct.storage.answer(end) for end in ends), first_alone=first_alone)

    generations = {shown(answer)["generation"] for answer in answers if answer.status == 200}
    assert len(generations) == 1, [answer.status for answer in answers]
    assert {answer.status for answer in answers} <= {200, 409}
    assert answers[1].status == 200  # the first one's client is gone
    assert direct.read(bucket, "a") == DATA


@pytest.mark.parametrize("first_alone", range(8))
@pytest.mark.parametrize("stored", [152, len(DATA)])
def test_an_upload_cancelled_meanwhile_is_gone_or_done(direct: Service, stored: int, first_alone: int) -> None:
    bucket = direct.bucket()
    started = direct.call("POST", f"/upload/storage/v1/b/{bucket}/o?uploadType=resumable&name=a")
    location = dict(started.headers)[b"location"].decode().partition("localhost")[2]
    direct.call("PUT", location, DATA[:stored], content_range=f"bytes 0-{stored - 1}/*")
    direct.restart()
    span = f"bytes {stored}-{len(DATA) - 1}/{len(DATA)}" if stored < len(DATA) else f"bytes */{len(DATA)}"

    end = direct.request("PUT", location, DATA[stored:], content_range=span)
    cancel = direct.request("DELETE", location)
    ended, cancelled = turn_by_turn(direct.storage.answer(end), direct.storage.answer(cancel), first_alone=first_alone)

    assert cancelled.status == 499
    assert ended.status in {200, 409, 410}
    assert direct.read(bucket, "a") == (DATA if ended.status == 200 else None)
    assert direct.call("PUT", location, content_range="bytes */*").status == 410
