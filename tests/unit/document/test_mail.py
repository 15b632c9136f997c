"""E-mail: headers in every encoding, alternatives, attachments, and messages that hurt."""

from typing import Any

import pytest

from shared.errors import BadFile
from shared.testing import run_processor

HEAD = b"From: a@b.c\nSubject: s\n"
MIXED = HEAD + b'Content-Type: multipart/mixed; boundary="b"\n\n'


def facts(data: bytes) -> dict[str, Any]:
    return dict(run_processor("document.facts", data).facts)


def text(data: bytes) -> str:
    return run_processor("document.text", data).outputs[0].data.decode()


def reason(data: bytes) -> str:
    with pytest.raises(BadFile) as refused:
        run_processor("document.text", data)
    return refused.value.code


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (b"Subject: =?iso-8859-1?Q?Gr=FC=DFe?= =?utf-8?b?4oKs?=", "Grüße€"),
        (b"Subject: =?undefined?q?=E4?=", "ä"),
        (b"Subject: Gr\xc3\xbc\xc3\x9fe", "Grüße"),
        (b"Subject: Gr\xfc\xdfe", "Grüße"),
        (b"Subject: a\n b", "a b"),
        (b"Subject: =?utf-8?b?!?= x", "x"),
    ],
    ids=["words", "unknown", "utf-8", "cp1252", "folded", "malformed"],
)
def test_a_subject_is_decoded(header: bytes, expected: str) -> None:
    assert facts(b"From: a@b.c\n" + header + b"\n\nx")["title"] == expected


@pytest.mark.parametrize(
    ("date", "expected"),
    [
        (b"Wed, 31 Jan 2024 12:00:00 -0000", "2024-01-31T12:00:00"),
        (b"31 Jan 24 12:00 GMT", "2024-01-31T12:00:00+00:00"),
        (b"Wed, 99 Jan 2024 12:00:00 +0100", None),
        (b"now", None),
        (b"\xff", None),
    ],
)
def test_a_date_that_cannot_be_read_is_left_out(date: bytes, expected: str | None) -> None:
    assert facts(HEAD + b"Date: " + date + b"\n\nx").get("created_at") == expected


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (
            HEAD
            + b"Content-Type: multipart/alternative; boundary=b\n\n--b\nContent-Type: text/html\n\n<p>no</p>\n--b\n\nplain\n--b--",
            "plain",
        ),
        (
            MIXED + b"--b\n\none\n--b\nContent-Type: text/html\n\n<p>two\n--b\nContent-Disposition: attachment\n\nno\n--b--",
            "one\ntwo",
        ),
        (MIXED + b"--b\nContent-Type: message/rfc822\n\nSubject: inner\n\nno\n--b--", ""),
        (HEAD + b"Content-Transfer-Encoding: quoted-printable\nContent-Type: text/plain; charset=cp1252\n\n=80=\n 5", "€ 5"),
        (HEAD + b"Content-Type: text/plain; charset=koi8-r\n\n" + "Да".encode("koi8-r"), "Да"),
        (HEAD + b"Content-Type: text/plain; charset=undefined\n\n\xe4", "ä"),
        (HEAD + b"Content-Type: text/plain; charset=rot13\n\nabc", "abc"),
        (HEAD + b"Content-Transfer-Encoding: base64\n\n!!!!eA==", "x"),
        (b"From x@y Thu\n" + HEAD + b"\nFrom here on", "From here on"),
    ],
    ids=["alternative", "mixed", "attached message", "quoted", "koi8-r", "undefined", "rot13", "base64", "mbox of one"],
)
def test_the_text_of_a_mail(data: bytes, expected: str) -> None:
    assert text(data) == expected


def test_attachments_are_named_by_every_convention() -> None:
    names = (
        b"filename*=UTF-8''%e2%82%ac.pdf",
        b'filename="=?utf-8?b?4oKs?=.txt"',
        b"filename*=nope''%ff",
        b"",
    )
    parts = b"".join(
        b"--b\nContent-Type: image/png\nContent-Disposition: attachment; " + name + b"\n\n12345\n" for name in names
    )
    found = facts(MIXED + parts + b"--b\nContent-Type: message/rfc822\n\nSubject: x\n\ny\n--b--")

    assert [(one.get("name"), one["content_type"], one.get("size")) for one in found["attachments"]] == [
        ("€.pdf", "image/png", 5),
        ("€.txt", "image/png", 5),
        ("ÿ", "image/png", 5),
        (None, "image/png", 5),
        (None, "message/rfc822", None),
    ]
    assert found["attachment_count"] == 5


def test_only_a_hundred_attachments_are_listed() -> None:
    found = facts(MIXED + b"--b\nContent-Disposition: attachment\n\ny\n" * 300)

    assert (found["attachment_count"], len(found["attachments"])) == (300, 100)


@pytest.mark.parametrize("depth", [60, 1000])
def test_parts_inside_each_other_are_refused(depth: int) -> None:
    parts = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(depth))

    assert reason(HEAD + parts + b"\n\nx") == "corrupt"


def test_a_mailbox_of_several_messages_is_unsupported() -> None:
    assert reason(b"From a@b Thu\n" + HEAD + b"\nx\n\nFrom c@d Thu\n" + HEAD + b"\ny") == "unsupported"


def test_a_text_that_mentions_headers_is_no_mail() -> None:
    assert facts(b"Notes\n\nFrom: here\nSubject: there\n") == {"format": "text"}
    assert facts(b"From: here\nTo: there\nand back again\n") == {"format": "text"}
