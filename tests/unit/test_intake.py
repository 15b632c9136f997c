"""The files of a request keep their bytes, however the body is cut, and are never held whole."""

import io
import tracemalloc
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pytest
from flask import Request
from werkzeug.test import EnvironBuilder

from shared import intake
from shared.cloud.protocols import NO_METADATA
from shared.errors import BadRequest, MethodNotAllowed, PipelineError
from shared.pace import Body, Pace

MIB = 1 << 20
FORM = "multipart/form-data; boundary=7MA4YWxk"
OPENING = b'--7MA4YWxk\r\nContent-Disposition: form-data; name="file"; filename="cat.jpg"\r\nContent-Type: image/jpeg\r\n\r\n'
CLOSING = b"\r\n--7MA4YWxk--\r\n"
#: bytes that a careless search for the boundary would take for one
TRICKY = b"\r\n--7MA4YWx\r\n-\r\r\n\n--7MA4YWxkX\r\n--\r\n7MA4YWxk\r\n\r\n--" + bytes(range(256)) + b"\r\n"


class Wire:
    """A body that arrives in pieces, as from a network; each piece is made when it is read."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._held = b""

    def read(self, size: int = -1, /) -> bytes:
        self._held = self._held or next(self._pieces, b"")
        piece, self._held = self._held[:size], self._held[size:]
        return piece


def cut(data: bytes, size: int) -> Iterator[bytes]:
    return (data[start : start + size] for start in range(0, len(data), size))


def request(
    body: Iterable[bytes],
    *,
    path: str = "/",
    kind: str = FORM,
    method: str = "POST",
    length: int | None = None,
    headers: Mapping[str, str] = NO_METADATA,
) -> Request:
    """A request with a Content-Length, or without one as after `Transfer-Encoding: chunked`; as gunicorn sends it."""
    environ = EnvironBuilder(path=path, method=method, headers=list(headers.items())).get_environ()
    environ.pop("CONTENT_LENGTH", None)
    framing: dict[str, Any] = {} if length is None else {"CONTENT_LENGTH": str(length)}
    stream = Body(Wire(body), length, Pace(60, 1000), None)
    return Request(environ | framing | {"wsgi.input_terminated": True, "CONTENT_TYPE": kind, "wsgi.input": stream})


def files(asked: Request) -> list[tuple[str, str, bytes]]:
    return [(file.name, file.content_type, b"".join(file.blocks)) for file in intake.read(asked)]


def refusal(asked: Request) -> PipelineError:
    with pytest.raises(PipelineError) as refused:
        files(asked)
    return refused.value


# ---- forms


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 100_000])
@pytest.mark.parametrize("data", [b"", b"x", b"\r\n", TRICKY, TRICKY * 3], ids=["empty", "x", "newline", "tricky", "thrice"])
def test_a_file_keeps_its_bytes_however_the_body_is_cut(data: bytes, size: int) -> None:
    body = OPENING + data + CLOSING

    assert files(request(cut(body, size), length=len(body))) == [("cat.jpg", "image/jpeg", data)]
    assert files(request(cut(body, size))) == [("cat.jpg", "image/jpeg", data)]


def test_a_body_can_be_cut_in_two_anywhere() -> None:
    body = OPENING + TRICKY + b"\r\n" + OPENING + TRICKY + CLOSING

    for place in range(1, len(body)):
        assert files(request([body[:place], body[place:]])) == [("cat.jpg", "image/jpeg", TRICKY)] * 2


@pytest.mark.parametrize("size", [1, 100_000])
def test_several_files_come_out_in_order_and_fields_are_ignored(size: int) -> None:
    form = {
        "note": "a field",
        "file": [(io.BytesIO(b"one"), "1.txt", "text/plain"), (io.BytesIO(b"two"), "2.txt", "text/plain")],
        "last": "\r\n--another field",
        "picture": (io.BytesIO(b"three"), "Käthe.bin", "application/x-own"),
    }
    environ = EnvironBuilder(method="POST", data=form).get_environ()
    asked = request(cut(environ["wsgi.input"].read(), size), kind=environ["CONTENT_TYPE"])

    assert files(asked) == [
        ("1.txt", "text/plain", b"one"),
        ("2.txt", "text/plain", b"two"),
        ("Käthe.bin", "application/x-own", b"three"),
    ]


def test_an_unread_file_does_not_hide_the_next() -> None:
    body = OPENING + TRICKY + b"\r\n" + OPENING.replace(b"cat", b"dog") + b"woof" + CLOSING

    assert [file.name for file in intake.read(request([body]))] == ["cat.jpg", "dog.jpg"]


def test_preamble_and_epilogue_are_ignored() -> None:
    body = b"This is a message in MIME format.\r\n" + OPENING + b"meow" + CLOSING + b"the end"

    assert files(request([body])) == [("cat.jpg", "image/jpeg", b"meow")]


@pytest.mark.parametrize("length", [0, 10, len(OPENING) - 2, len(OPENING), len(OPENING) + 3, len(OPENING) + 6])
def test_a_form_that_ends_too_early_is_refused(length: int) -> None:
    whole = OPENING + b"meow" + CLOSING

    assert refusal(request([whole[:length]])).code == "broken_multipart"
    assert refusal(request([whole[:length]], length=length)).code == "broken_multipart"


@pytest.mark.parametrize("length", [0, 10, len(OPENING), len(OPENING) + 3])
def test_a_form_that_is_shorter_than_announced_is_refused(length: int) -> None:
    whole = OPENING + b"meow" + CLOSING

    assert refusal(request([whole[:length]], length=len(whole))).code == "body_cut_short"


def test_a_broken_connection_is_for_the_client_to_repeat() -> None:
    def broken() -> Iterator[bytes]:
        yield OPENING
        raise OSError("connection reset")

    assert refusal(request(broken())).code == "body_cut_short"


@pytest.mark.parametrize(
    "kind",
    [
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "multipart/mixed; boundary=x",
        "application/json",
        "text/plain",
        "",
    ],
)
def test_a_body_that_is_not_a_form_is_refused_with_a_right_one(kind: str) -> None:
    error = refusal(request([OPENING], kind=kind))

    assert isinstance(error, BadRequest)
    assert "curl -F file=@NAME" in error.message


def test_a_form_is_posted_not_put() -> None:
    assert isinstance(refusal(request([OPENING + CLOSING], method="PUT")), MethodNotAllowed)


def test_a_form_without_a_file_is_refused() -> None:
    form = b'--7MA4YWxk\r\nContent-Disposition: form-data; name="file"\r\n\r\n@cat.jpg' + CLOSING

    assert refusal(request([form])).code == "no_file"
    assert refusal(request([b"--7MA4YWxk--\r\n"])).code == "no_file"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no boundary at all",
        OPENING.replace(b"7MA4YWxk", b"another") + b"meow",
        b"--7MA4YWxk\r\nContent-Type: image/jpeg\r\n\r\nmeow" + CLOSING,
        b"--7MA4YWxk\r\n" * 5,
    ],
)
def test_a_malformed_form_is_refused(body: bytes) -> None:
    assert refusal(request([body])).code == "broken_multipart"


def test_a_form_has_a_limit_of_parts() -> None:
    parts = b'--7MA4YWxk\r\nContent-Disposition: form-data; name="n"\r\n\r\nv\r\n' * intake.MAX_PARTS

    assert "100 parts" in refusal(request([parts + OPENING + CLOSING])).message


def test_a_part_has_a_limit_of_headers() -> None:
    head = OPENING[:-4].partition(b"\r\n")[2]
    longest = head + b"\r\n" + b"a" * (16383 - len(head) - 2) + b":"

    assert files(request([OPENING.replace(head, longest), b"meow", CLOSING])) == [("cat.jpg", "image/jpeg", b"meow")]
    assert "16384 bytes of headers" in refusal(request([OPENING.replace(head, b"a" + longest), b"meow", CLOSING])).message


# ---- raw bodies


@pytest.mark.parametrize("method", ["PUT", "POST"])
@pytest.mark.parametrize("size", [1, 1000])
def test_a_raw_body_is_the_file_named_in_the_path(method: str, size: int) -> None:
    asked = request(cut(TRICKY, size), path="/a/Käthe 1.jpg", kind="image/jpeg", method=method, length=len(TRICKY))

    assert files(asked) == [("a/Käthe 1.jpg", "image/jpeg", TRICKY)]


def test_a_form_under_a_name_is_that_files_bytes() -> None:
    body = OPENING + b"meow" + CLOSING

    assert files(request([body], path="/form.bin")) == [("form.bin", FORM, body)]


def test_a_raw_body_that_ends_too_early_is_refused() -> None:
    error = refusal(request([b"meow"], path="/cat.jpg", kind="image/jpeg", method="PUT", length=5))

    assert error.code == "body_cut_short"


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE", "PATCH"])
@pytest.mark.parametrize("path", ["/", "/cat.jpg"])
def test_another_method_is_refused_before_anything_is_read(method: str, path: str) -> None:
    with pytest.raises(MethodNotAllowed, match="PUT or POST"):
        next(intake.read(request([OPENING], path=path, method=method)))


# ---- custom metadata


def field(name: str, value: bytes) -> bytes:
    """A part of a form that is not a file."""
    return b'--7MA4YWxk\r\nContent-Disposition: form-data; name="' + name.encode() + b'"\r\n\r\n' + value + b"\r\n"


def file(name: bytes) -> bytes:
    return OPENING.replace(b"cat", name) + b"meow\r\n"


def described(asked: Request) -> dict[str, dict[str, str]]:
    """The metadata of each file, by its name."""
    return {file.name: dict(file.metadata) for file in intake.read(asked)}


@pytest.mark.parametrize("method", ["PUT", "POST"])
def test_headers_are_the_metadata_of_a_raw_body(method: str) -> None:
    headers = {"X-Goog-Meta-Order": "4711", "x-goog-meta-empty": "", "x-goog-acl": "public-read"}
    asked = request([b"meow"], path="/cat.jpg", kind="image/jpeg", method=method, headers=headers)

    assert described(asked) == {"cat.jpg": {"order": "4711"}}


def test_a_raw_body_without_such_headers_has_no_metadata() -> None:
    assert described(request([b"meow"], path="/cat.jpg", kind="image/jpeg")) == {"cat.jpg": {}}


@pytest.mark.parametrize("size", [1, 7, 100_000])
def test_fields_are_the_metadata_of_the_files_after_them(size: int) -> None:
    fields = field("x-goog-meta-order", b"1"), field("X-Goog-Meta-Place", b"a; b")
    later = field("x-goog-meta-order", b"2"), field("x-goog-meta-place", b""), field("x-goog-meta-last", b"3")
    body = b"".join([file(b"one"), *fields, file(b"two"), *later[:2], file(b"three"), later[2], b"--7MA4YWxk--\r\n"])

    assert described(request(cut(body, size))) == {
        "one.jpg": {},
        "two.jpg": {"order": "1", "place": "a; b"},
        "three.jpg": {"order": "2"},
    }


def test_headers_are_the_metadata_of_every_file_of_a_form() -> None:
    body = file(b"one") + field("x-goog-meta-order", b"2") + file(b"two") + b"--7MA4YWxk--\r\n"
    asked = request([body], headers={"X-Goog-Meta-Order": "1", "X-Goog-Meta-Place": "here"})

    assert described(asked) == {"one.jpg": {"order": "1", "place": "here"}, "two.jpg": {"order": "2", "place": "here"}}


@pytest.mark.parametrize("path", ["/", "/cat.jpg"])
@pytest.mark.parametrize(("key", "code"), [("sluice-hops", "reserved_metadata"), ("SLUICE-PARENT", "reserved_metadata")])
def test_a_reserved_header_is_refused_before_a_file_is_read(path: str, key: str, code: str) -> None:
    asked = request([OPENING + b"meow" + CLOSING], path=path, headers={f"x-goog-meta-{key}": "1"})

    with pytest.raises(BadRequest) as refused:
        next(intake.read(asked))

    assert refused.value.code == code


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("x-goog-meta-sluice-hops", b"1", "reserved_metadata"),
        ("X-Goog-Meta-Sluice-Parent", b"1", "reserved_metadata"),
        ("x-goog-meta-", b"1", "bad_metadata"),
        ("x-goog-meta-two words", b"1", "bad_metadata"),
        ("x-goog-meta-note", "Käthe".encode(), "bad_metadata"),
        ("x-goog-meta-note", b"\xff", "bad_metadata"),
        ("x-goog-meta-note", b"x" * 8189, "bad_metadata"),
        ("x-goog-meta-note", b"x" * MIB, "bad_metadata"),
    ],
)
def test_a_field_that_cannot_be_metadata_is_refused_with_its_name(name: str, value: bytes, code: str) -> None:
    error = refusal(request(cut(field(name, value) + OPENING + b"meow" + CLOSING, 100_000)))

    assert error.code == code
    assert error.message.startswith(f"{name.lower()}: ")


def test_the_files_before_a_refused_field_are_read() -> None:
    asked = request([file(b"one") + field("x-goog-meta-sluice-hops", b"1") + OPENING + b"meow" + CLOSING])
    incoming = intake.read(asked)

    assert next(incoming).name == "one.jpg"
    with pytest.raises(BadRequest):
        next(incoming)


# ---- memory


def peak_bytes(asked: Request) -> int:
    tracemalloc.start()
    try:
        for file in intake.read(asked):
            for _block in file.blocks:
                pass
    except BadRequest:
        pass
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    return peak


LONG = [b"a" * MIB] * 48


@pytest.mark.parametrize(
    ("pieces", "path"),
    [
        ([*LONG], "/cat.jpg"),
        ([OPENING, *LONG, CLOSING], "/"),
        ([OPENING.replace(b"; filename", b"; nothing"), *LONG, CLOSING], "/"),
        ([OPENING.replace(b'"file"; filename="cat.jpg"', b'"x-goog-meta-note"'), *LONG, CLOSING], "/"),
        ([*LONG, OPENING, CLOSING], "/"),
        ([OPENING[:-2], *LONG, CLOSING], "/"),
        ([OPENING, CLOSING, *LONG], "/"),
    ],
    ids=["raw body", "file", "field", "metadata", "before the parts", "headers", "after the parts"],
)
def test_no_body_is_held_whole(pieces: list[bytes], path: str) -> None:
    assert peak_bytes(request(pieces, path=path)) < 8 * MIB


def test_a_form_with_too_much_around_its_files_is_refused() -> None:
    assert refusal(request([OPENING, CLOSING, *LONG])).code == "broken_multipart"
