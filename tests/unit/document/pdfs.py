"""Small PDFs, written object by object (ISO 32000-2 §7.5)."""

import hashlib
import zlib
from collections.abc import Sequence

#: ISO 32000-1 §7.6.3.3
_PADDING = bytes.fromhex("28BF4E5E4E758A4164004E56FFFA01082E2E00B6D0683E802F0CA9FE6453697A")
FILE_ID = b"0123456789abcdef"


def pdf(
    pages: Sequence[str], info: str = "", size: tuple[int, int] = (612, 792), catalog: str = "", encrypt: str = ""
) -> bytes:
    """A PDF with a page for each text; lines of a text are split at line feeds."""
    kids = " ".join(f"{4 + 2 * number} 0 R" for number in range(len(pages)))
    objects = [
        f"<< /Type /Catalog /Pages 2 0 R {catalog} >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    for number, text in enumerate(pages):
        lines = " ".join(f"({line}) Tj T*" for line in text.split("\n"))
        stream = f"BT /F1 24 Tf 30 TL 72 700 Td {lines} ET"
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {size[0]} {size[1]}] /Contents {5 + 2 * number} 0 R"
            " /Resources << /Font << /F1 3 0 R >> >> >>"
        )
        objects.append(f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream")
    objects.append(f"<< {info} >>")
    return written(objects, f"/Info {len(objects)} 0 R" + encrypt)


def written(objects: Sequence[str], trailer: str = "") -> bytes:
    """The file of these objects, with its table of references. The first one is the catalog."""
    data, offsets = bytearray(b"%PDF-1.7\n"), []
    for number, body in enumerate(objects, 1):
        offsets.append(len(data))
        data += f"{number} 0 obj\n{body}\nendobj\n".encode("latin-1")
    table = "".join(f"{offset:010} 00000 n \n" for offset in offsets)
    end = f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}trailer\n"
    end += f"<< /Size {len(objects) + 1} /Root 1 0 R {trailer} >>\nstartxref\n{len(data)}\n%%EOF\n"
    return bytes(data) + end.encode("latin-1")


def one(
    page: str = "/MediaBox [0 0 612 792]", stream: str = "BT /F1 24 Tf 72 700 Td (Hello) Tj ET", catalog: str = "", *more: str
) -> bytes:
    """A PDF of one page with these entries, this content, and further objects from 6 on."""
    return written(
        [
            f"<< /Type /Catalog /Pages 2 0 R {catalog} >>",
            "<< /Type /Pages /Kids [4 0 R] /Count 1 >>",
            "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
            f"<< /Type /Page /Parent 2 0 R {page} /Contents 5 0 R /Resources << /Font << /F1 3 0 R >> >> >>",
            f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream",
            *more,
        ]
    )


def packed(size: int, times: int) -> bytes:
    """A PDF whose page has so many spaces, compressed so many times."""
    data = b" " * size
    for _ in range(times):
        data = zlib.compress(data, 1)
    filters = " ".join(["/FlateDecode"] * times)
    stream = f"<< /Length {len(data)} /Filter [{filters}] >>\nstream\n{data.decode('latin-1')}\nendstream"
    page = "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Contents 4 0 R >>"
    return written(["<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [3 0 R] /Count 1 >>", page, stream])


def locked(password: bytes = b"secret") -> bytes:
    """A PDF that only this user password opens (ISO 32000-1 §7.6.3, revision 2)."""
    owner = _rc4(hashlib.md5(_padded(b"owner")).digest()[:5], _padded(password))
    key = hashlib.md5(_padded(password) + owner + (0xFFFFFFFC).to_bytes(4, "little") + FILE_ID).digest()[:5]
    user = _rc4(key, _PADDING)
    return pdf(
        ["x"],
        encrypt=f" /Encrypt << /Filter /Standard /V 1 /R 2 /O <{owner.hex()}> /U <{user.hex()}> /P -4 >>"
        f" /ID [<{FILE_ID.hex()}> <{FILE_ID.hex()}>]",
    )


def _padded(password: bytes) -> bytes:
    return (password + _PADDING)[:32]


def _rc4(key: bytes, data: bytes) -> bytes:
    state, j = list(range(256)), 0
    for i in range(256):
        j = (j + state[i] + key[i % len(key)]) % 256
        state[i], state[j] = state[j], state[i]
    i = j = 0
    out = bytearray()
    for byte in data:
        i = (i + 1) % 256
        j = (j + state[i]) % 256
        state[i], state[j] = state[j], state[i]
        out.append(byte ^ state[(state[i] + state[j]) % 256])
    return bytes(out)
