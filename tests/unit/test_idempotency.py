"""A key leads to its own caller's files only, and a stranger's key cannot be guessed."""

import base64
import hashlib
import hmac
import random
import uuid

import pytest

from shared import idempotency
from shared.errors import BadRequest

SECRET = "s" * 32


def refused(key: str, caller: str = "") -> str:
    with pytest.raises(BadRequest) as error:
        idempotency.seed(key, caller, SECRET)
    return error.value.code


def test_a_seed_is_an_hmac_of_caller_and_key() -> None:
    expected = hmac.new(SECRET.encode(), b'["1041", "order-4711"]', hashlib.sha256).digest()

    assert idempotency.seed("order-4711", "1041", SECRET) == expected


def test_callers_keys_and_secrets_never_share_a_seed() -> None:
    key = str(uuid.uuid4())
    seeds = {
        idempotency.seed(text, caller, secret)
        for text in (key, f"{key} ", f'", "{key}')
        for caller in ("", "1", "2", f'1", "{key}')
        for secret in (SECRET, "t" * 32)
        if caller or text == key
    }

    assert len(seeds) == 20


def test_a_line_end_after_the_secret_does_not_count() -> None:
    assert idempotency.seed("k", "1", f"{SECRET}\n") == idempotency.seed("k", "1", SECRET)


def test_quotes_around_a_key_do_not_count() -> None:
    """The draft of the header's standard writes them, most clients do not."""
    key = str(uuid.uuid4())

    assert idempotency.seed(f'"{key}"', "", SECRET) == idempotency.seed(key, "", SECRET)


@pytest.mark.parametrize("key", ["", '""', "k" * 256, "é" * 128])
def test_an_empty_or_too_long_key_is_refused_whoever_sends_it(key: str) -> None:
    assert (refused(key), refused(key, "1")) == ("bad_key", "bad_key")


@pytest.mark.parametrize("key", ["k" * 255, "é" * 127])
def test_a_key_may_have_255_bytes(key: str) -> None:
    assert idempotency.seed(key, "1", SECRET)


def test_a_single_quote_is_a_key() -> None:
    assert idempotency.seed('"', "1", SECRET)


@pytest.mark.parametrize(
    "key",
    [
        "3b9df1f2-6f8e-4f0a-9a2b-0c6c1d9d7e55",
        "3B9DF1F2-6F8E-4F0A-9A2B-0C6C1D9D7E55",
        "6d0c1c52f7a94c0e8f3b2a1d5e7c9b84",
        "6D0C1C52F7A94C0E8F3B2A1D5E7C9B84",
        "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "kT9wVx0ZbQ2sL5nR8uYc1A",
        "kT9wVx0ZbQ2sL5nR8uYc1A==",
        "kT9w/x0ZbQ2+L5nR8uYc1A==",
        "kT9w_x0ZbQ2-L5nR8uYc1A",
    ],
)
def test_128_random_bits_are_accepted_from_a_stranger(key: str) -> None:
    assert idempotency.seed(key, "", SECRET)


@pytest.mark.parametrize(
    "key",
    [
        "k",
        "order-4711",
        "order-2026-11-28-0000000000004711",
        "2026-11-28T20:04:38.123456Z-invoice-17",
        "20261128200438000000000000004711",
        "my-own-idempotency-key-for-this-file",
        "3b9df1f2-6f8e-1f0a-9a2b-0c6c1d9d7e55",  # version 1: time and computer
        "0193770e-3c1f-7f0a-9a2b-0c6c1d9d7e55",  # version 7: time
        "0193770E-3c1f-7f0a-9a2b-0c6c1d9d7e55",
        "3b9df1f2-6f8e-4f0a-5a2b-0c6c1d9d7e55",  # another variant
        "{3b9df1f2-6f8e-4f0a-9a2b-0c6c1d9d7e55}",
        "01JDSKX3X0Q4Q1V8Z2M7N5P9RT",  # a ULID: 80 bits are random
        "6d0c1c52f7a94c0e8f3b2a1d5e7c9b8",  # 31 digits
        "kT9wVx0ZbQ2sL5nR8uYc1",  # 21 characters
        "kT9wVx0ZbQ2sL5nR8uYc1A===",
        "kT9wVx0ZbQ2sL5nR 8uYc1A",
        "kT9w_x0ZbQ2+L5nR8uYc1A",  # of two alphabets
        "00000000-0000-4000-8000-000000000000",
        "11111111111111111111111111111111",
        "abcdef01abcdef01abcdef01abcdef01",
        "0123456789abcdef0123456789abcdef",
        "AbAbAbAbAbAbAbAbAbAbAbAb",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAb",
        "6d0c1c52f7a94c0e8f3b2a1d5e7c9b84, 6d0c1c52f7a94c0e8f3b2a1d5e7c9b84",  # the header, sent twice
    ],
)
def test_what_others_could_guess_is_refused_from_a_stranger_only(key: str) -> None:
    assert refused(key) == "weak_key"
    assert idempotency.seed(key, "1", SECRET)


def test_random_keys_of_every_form_pass() -> None:
    drawn = random.Random(7)
    for _ in range(500):
        data = drawn.randbytes(16)
        own = uuid.UUID(bytes=data, version=4)
        for key in (str(own), own.hex, data.hex(), data.hex().upper(), base64.urlsafe_b64encode(data).decode()):
            assert idempotency.is_random(key), key


def test_the_refusal_names_a_command_that_prints_a_right_key() -> None:
    with pytest.raises(BadRequest, match=r"`uuidgen` or `openssl rand -hex 16`"):
        idempotency.seed("order-4711", "", SECRET)
