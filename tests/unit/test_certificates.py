"""The certificates of an issuer are fetched when needed, kept for a time, and not fetched for each unknown key."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from shared import identity
from shared.errors import Unauthorized, Unavailable
from shared.identity import KEEP_SECONDS, LOOK_AGAIN_SECONDS, Certificates


class Issuer:
    """An issuer that counts its requests and can be down."""

    def __init__(self) -> None:
        self.keys = {"k1": "certificate 1"}
        self.asked = 0
        self.is_down = False
        self.seconds = 1000.0

    def __call__(self) -> Mapping[str, str]:
        self.asked += 1
        if self.is_down:
            raise Unavailable("down")
        return dict(self.keys)


@pytest.fixture
def issuer() -> Issuer:
    return Issuer()


@pytest.fixture
def known(issuer: Issuer) -> Certificates:
    return Certificates(issuer, lambda: issuer.seconds)


def test_certificates_are_fetched_once_when_first_needed(issuer: Issuer, known: Certificates) -> None:
    assert issuer.asked == 0

    assert [known.of("k1") for _ in range(3)] == ["certificate 1"] * 3
    assert issuer.asked == 1


def test_certificates_are_fetched_again_after_their_time(issuer: Issuer, known: Certificates) -> None:
    known.of("k1")
    issuer.keys = {"k2": "certificate 2"}
    issuer.seconds += KEEP_SECONDS
    assert known.of("k1") == "certificate 1"

    issuer.seconds += 1
    with pytest.raises(Unauthorized):
        known.of("k1")


def test_a_new_key_is_fetched_at_most_once_a_minute(issuer: Issuer, known: Certificates) -> None:
    known.of("k1")
    issuer.keys["k2"] = "certificate 2"

    with pytest.raises(Unauthorized):
        known.of("k2")
    assert issuer.asked == 1

    issuer.seconds += LOOK_AGAIN_SECONDS + 1
    assert known.of("k2") == "certificate 2"
    assert issuer.asked == 2


def test_unknown_keys_are_not_fetched_each_time(issuer: Issuer, known: Certificates) -> None:
    for number in range(100):
        with pytest.raises(Unauthorized):
            known.of(f"stranger-{number}")

    assert issuer.asked == 1


def test_fetched_certificates_outlast_an_outage_for_their_time(issuer: Issuer, known: Certificates) -> None:
    known.of("k1")
    issuer.is_down = True
    issuer.seconds += KEEP_SECONDS
    assert known.of("k1") == "certificate 1"

    issuer.seconds += 1
    with pytest.raises(Unavailable):
        known.of("k1")


def test_unknown_keys_do_not_wait_for_an_issuer_that_is_down(issuer: Issuer, known: Certificates) -> None:
    known.of("k1")
    issuer.is_down = True
    issuer.seconds += LOOK_AGAIN_SECONDS + 1

    for number in range(100):
        with pytest.raises((Unauthorized, Unavailable)):
            known.of(f"stranger-{number}")
    assert issuer.asked == 2
    assert known.of("k1") == "certificate 1"


def test_an_issuer_that_recovers_is_used_at_once(issuer: Issuer, known: Certificates) -> None:
    issuer.is_down = True
    with pytest.raises(Unavailable):
        known.of("k1")
    issuer.is_down = False

    assert known.of("k1") == "certificate 1"


def test_certificates_are_fetched_from_a_url(tmp_path: Path) -> None:
    path = tmp_path / "certs.json"
    path.write_text('{"k1": "certificate 1"}')

    assert identity.fetch(path.as_uri()) == {"k1": "certificate 1"}


@pytest.mark.parametrize("answer", ["", "<html>", "[]", "null", '"k1"'])
def test_a_malformed_answer_is_unavailable(tmp_path: Path, answer: str) -> None:
    path = tmp_path / "certs.json"
    path.write_text(answer)

    with pytest.raises(Unavailable):
        identity.fetch(path.as_uri())


def test_an_unreachable_issuer_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(Unavailable):
        identity.fetch((tmp_path / "nothing.json").as_uri())
