"""The encoding of a text by its bytes: its mark, strict UTF-8, else the likeliest of the usual 8-bit ones."""

import codecs
from pathlib import Path

from shared.processors import western

#: Bytes that decide between the 8-bit encodings.
SAMPLE_BYTES = 256 << 10
_BLOCK_BYTES = 1 << 20
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
#: Without this list a text of Windows with a euro sign is taken for one of DOS.
_USUAL = [
    *("cp1252", "latin_1", "iso8859_15", "cp1250", "cp1251", "cp1253", "cp1254", "koi8_r"),
    *("shift_jis", "euc_jp", "gb18030", "big5"),
]
_FALLBACK = "cp1252"
#: Share of zeros among the high bytes of UTF-16 without a mark, for texts in Latin letters, and most among the low ones.
_MANY_ZEROS, _FEW_ZEROS = 0.6, 0.05
#: Names in documents are those of the WHATWG's Encoding Standard, and of mail. Python has more, some of which run code of theirs
#: on the text: `unicode_escape`, `undefined`, `idna`.
_NAMED = frozenset(
    [
        *("ascii", "utf-8", "utf-7", "utf-16", "utf-16-le", "utf-16-be", "big5", "big5hkscs", "gb2312", "gbk", "gb18030", "hz"),
        *("euc_jp", "iso2022_jp", "shift_jis", "cp932", "euc_kr", "iso2022_kr", "cp949", "koi8-r", "koi8-u", "tis-620"),
        *("mac-roman", "mac-cyrillic", "cp437", "cp850", "cp866", "cp874", *(f"cp{number}" for number in range(1250, 1259))),
        *(f"iso8859-{number}" for number in range(1, 17)),
    ]
)
#: Browsers read these as the wider encoding.
_WIDER = {"ascii": "cp1252", "iso8859-1": "cp1252", "iso8859-9": "cp1254", "gb2312": "gbk", "shift_jis": "cp932"}


def detect(source: Path) -> str:
    """The name of the encoding, as Python has it. `utf-8` where all bytes are ASCII."""
    with source.open("rb") as file:
        sample = file.read(SAMPLE_BYTES)
    if found := marked(sample) or _utf16(sample):
        return found
    return "utf-8" if _is_utf8(source) else _likeliest(sample)


def marked(head: bytes) -> str:
    """The encoding by the mark at the beginning; empty without one."""
    return next((name for mark, name in _MARKS if head.startswith(mark)), "")


def named(label: str) -> str:
    """The encoding that a document names, as Python has it; empty where it is unknown."""
    try:
        name = codecs.lookup(label.strip().encode("ascii", "replace").decode()).name
    except (LookupError, ValueError):
        return ""
    return _WIDER.get(name, name) if name in _NAMED else ""


def _utf16(sample: bytes) -> str:
    """UTF-16 without a mark: every other byte is mostly zero, the ones between hardly ever."""
    pairs = len(sample) // 2
    if not pairs or len(sample) % 2 or b"\0" not in sample:
        return ""
    even, odd = sample[: 2 * pairs : 2].count(0) / pairs, sample[1 : 2 * pairs : 2].count(0) / pairs
    for name, high, low in (("utf-16-le", odd, even), ("utf-16-be", even, odd)):
        if high > _MANY_ZEROS and low < _FEW_ZEROS:
            return name
    return ""


def _is_utf8(source: Path) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        with source.open("rb") as file:
            while block := file.read(_BLOCK_BYTES):
                decoder.decode(block)
            decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _likeliest(sample: bytes) -> str:
    if western.is_western(sample):
        return _FALLBACK
    import charset_normalizer  # on first use: most texts are UTF-8

    best = charset_normalizer.from_bytes(sample, cp_isolation=_USUAL).best()
    if best is None or str(best) == sample.decode(_FALLBACK, errors="replace"):
        return _FALLBACK  # of several that give the same text, the one that people use
    return best.encoding
