"""Raw requests to the Upload Service under the real server, as real clients send them."""

import gzip

import pytest

from tests.functions.serving import Server, answer

#: `meow`, compressed; its checksums are those of openssl(1).
GZIPPED = gzip.compress(b"meow", mtime=0)
SHA256 = b"QEzde8EJxDL4zCRDtFvP6VmA9RByFcZFI25XeSmsPlI="
WRONG = b"AAzde8EJxDL4zCRDtFvP6VmA9RByFcZFI25XeSmsPlI="


BROKEN = b"PUT /cat.txt HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nno length\r\n"


def put(*headers: bytes, body: bytes = b"meow", path: bytes = b"/cat.txt") -> bytes:
    lines = [b"PUT " + path + b" HTTP/1.1", b"Host: x", b"Content-Length: %d" % len(body), *headers, b"", body]
    return b"\r\n".join(lines)


def form(disposition: bytes, *headers: bytes, body: bytes = b"meow", part: tuple[bytes, ...] = ()) -> bytes:
    lines = [b"--x", b"Content-Disposition: form-data; " + disposition, *part, b"", body, b"--x--", b""]
    whole = b"\r\n".join(lines)
    beginning = [b"POST / HTTP/1.1", b"Host: x", b"Content-Type: multipart/form-data; boundary=x", *headers]
    return b"\r\n".join([*beginning, b"Content-Length: %d" % len(whole), b"", whole])


@pytest.mark.parametrize(
    ("request_", "name"),
    [
        (form(rb'name="file"; filename="C:\Users\me\photo.txt"'), "photo.txt"),
        (form(rb'name="file"; filename="\\server\share\photo.txt"'), "photo.txt"),
        (form(b'name="file"; filename*="UTF-8\'\'na%C3%AFve.txt"'), "naïve.txt"),
        (form(b'name="file"; filename="x.txt"; filename*=UTF-8\'\'na%C3%AFve.txt'), "naïve.txt"),
        (form(b'name="file"; filename="say %22hi%22.txt"'), 'say "hi".txt'),
        (form(b'name="file"; filename="K\xe4the.txt"'), "Käthe.txt"),
        (put(path=b"/C:%5CUsers%5Cme%5Cphoto.txt"), "photo.txt"),
        (put(path=b"/C:\\Users\\me\\photo.txt"), "photo.txt"),
        (put(path=b"//server/share/na%C3%AFve.txt"), "naïve.txt"),
    ],
)
def test_the_name_of_a_file_is_its_own(server: Server, request_: bytes, name: str) -> None:
    assert server.send(request_).status == 202
    assert server.stored() == {name: b"meow"}


@pytest.mark.parametrize(
    "request_",
    [
        put(b"Content-Encoding: gzip", body=GZIPPED),
        put(b"Content-Encoding: x-gzip", b"Content-Type: text/plain", body=GZIPPED),
        form(b"name=f; filename=cat.txt", part=(b"Content-Encoding: gzip",), body=GZIPPED),
        put(b"Content-Digest: sha-256=:" + SHA256 + b":", b"If-None-Match: *"),
        put(b"x-goog-hash: crc32c=u86qsg==", b"x-goog-hash: md5=SkvkDJasYxTpHZPzgEOmNA=="),
        form(b"name=f; filename=cat.txt", part=(b"Content-MD5: SkvkDJasYxTpHZPzgEOmNA==",)),
        b"PUT /cat.txt HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTrailer: x-last\r\n\r\n"
        b"1;a=b\r\nm\r\n3\r\neow\r\n0\r\nx-last: 1\r\n\r\n",
    ],
    ids=["gzip", "x-gzip", "gzip part", "sha-256", "repeated header", "md5 of a part", "chunks and a trailer"],
)
def test_headers_are_heeded(server: Server, request_: bytes) -> None:
    found = server.send(request_)

    assert (found.status, found.json["size"]) == (202, 4)
    assert server.stored() == {"cat.txt": b"meow"}


@pytest.mark.parametrize(
    ("request_", "status", "code"),
    [
        (put(b"Content-Encoding: br"), 415, "unsupported_encoding"),
        (put(b"Content-Encoding: gzip", b"Content-Encoding: gzip"), 415, "unsupported_encoding"),
        (put(b"Content-Encoding: gzip"), 400, "bad_encoding"),
        (put(b"Content-Encoding: gzip", body=GZIPPED[:-1]), 400, "bad_encoding"),
        (put(b"Content-Encoding: gzip", body=gzip.compress(bytes(1_100_000), mtime=0)), 413, "too_large"),
        (put(b"Content-Range: bytes 0-3/8"), 400, "partial_content"),
        (put(b"If-Match: *"), 412, "precondition_failed"),
        (put(b"X-HTTP-Method-Override: DELETE"), 400, "bad_request"),
        (put(b"Content-MD5: AAvkDJasYxTpHZPzgEOmNA=="), 400, "digest_mismatch"),
        (put(b"Digest: SHA-256=" + WRONG), 400, "digest_mismatch"),
        (put(b"Repr-Digest: sha-256=:" + WRONG + b":", body=b"meow"), 400, "digest_mismatch"),
        (put(b"x-goog-hash: crc32c=u86qsg==", b"x-goog-hash: md5=AAvkDJasYxTpHZPzgEOmNA=="), 400, "digest_mismatch"),
        (put(b"Content-MD5: meow"), 400, "bad_digest"),
        (form(b"name=f; filename=a.txt", part=(b"Content-MD5: AAvkDJasYxTpHZPzgEOmNA==",)), 400, "digest_mismatch"),
        (form(b"name=f; filename=a.txt", b"Content-MD5: SkvkDJasYxTpHZPzgEOmNA=="), 400, "digest_mismatch"),
        (BROKEN, 400, "body_cut_short"),
    ],
)
def test_a_request_that_cannot_be_heeded_stores_nothing(server: Server, request_: bytes, status: int, code: str) -> None:
    found = server.send(request_)

    assert (found.status, found.json["error"]) == (status, code)
    assert found.json["accepted"] == []
    assert server.stored() == {}
    assert ("https://issuer.test" in found.json["message"]) == (code == "too_large")
    assert found.headers["accept-encoding"] == ("gzip, deflate" if code == "unsupported_encoding" else None)


def test_a_client_is_asked_to_continue_before_it_sends(server: Server) -> None:
    head, _, body = put(b"Expect: 100-continue").partition(b"\r\n\r\n")
    with server.connect() as connection:
        connection.sendall(head + b"\r\n\r\n")
        assert connection.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(body)
        assert answer(connection).status == 202


@pytest.mark.parametrize(("size", "status"), [(1_000_000, 400), (20_000_000, 413)])
def test_a_client_that_sends_all_before_it_reads_sees_the_refusal_and_goes_on(server: Server, size: int, status: int) -> None:
    with server.connect() as connection:
        connection.sendall(put(b"Content-Range: bytes 0-3/8", body=bytes(size)))
        assert answer(connection).status == status
        connection.sendall(put())
        assert answer(connection).status == 202


@pytest.mark.parametrize("header", [b"SCRIPT_NAME: /other", b"SCRIPT_NAME: /c", b"PATH_INFO: /other"])
def test_a_header_does_not_change_the_path(server: Server, header: bytes) -> None:
    assert server.send(put(header)).status == 202
    assert server.stored() == {"cat.txt": b"meow"}
