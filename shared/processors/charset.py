"""The encoding of a text by its bytes: its mark, strict UTF-8, else the likeliest of the usual 8-bit ones."""

import codecs
from pathlib import Path

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


def detect(source: Path) -> str:
    """The name of the encoding, as Python has it. `utf-8` where all bytes are ASCII."""
    with source.open("rb") as file:
        head = file.read(4)
    marked = next((name for mark, name in _MARKS if head.startswith(mark)), "")
    if marked:
        return marked
    return "utf-8" if _is_utf8(source) else _likeliest(source)


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


def _likeliest(source: Path) -> str:
    import charset_normalizer  # on first use: most texts are UTF-8

    with source.open("rb") as file:
        sample = file.read(SAMPLE_BYTES)
    best = charset_normalizer.from_bytes(sample, cp_isolation=_USUAL).best()
    if best is None or str(best) == sample.decode(_FALLBACK, errors="replace"):
        return _FALLBACK  # of several that give the same text, the one that people use
    return best.encoding
