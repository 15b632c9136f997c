"""A text as UTF-8 with uniform ends of lines, in a file beside it: DuckDB reads no other."""

from pathlib import Path

from shared.errors import BadFile
from shared.processors import charset

#: Of the new file, which lies in memory on Cloud Run.
MAX_BYTES = 128 << 20
_BLOCK_CHARACTERS = 1 << 20
#: UTF-8 with some damaged characters, not another encoding: at most one in ten of those beyond ASCII is damaged.
_GOOD_FOR_EACH_BAD = 9


def recoded(source: Path, folder: Path, encoding: str) -> Path:
    """Write the text as UTF-8. Raises `BadFile` where it is too large for that, or not in its encoding."""
    path, size = folder / "recoded", 0
    try:
        with source.open(encoding=encoding, newline=None) as text, path.open("w", encoding="utf-8", newline="\n") as copy:
            while block := text.read(_BLOCK_CHARACTERS):
                size += len(block.encode())
                if size > MAX_BYTES:
                    raise BadFile(
                        f"a table in {_name(encoding)} has at most {MAX_BYTES >> 20} MB; save it as UTF-8", "unsupported"
                    )
                copy.write(block)
    except UnicodeError:
        raise BadFile(f"the table is not valid {_name(encoding)}; save it as UTF-8", "corrupt") from None
    return path


def encoding(source: Path) -> str:
    """The encoding of a text that is not valid UTF-8; `utf-8` where only a few characters are damaged."""
    good = bad = 0
    with source.open(encoding="utf-8", errors="replace", newline="") as text:
        while block := text.read(_BLOCK_CHARACTERS):
            damaged = block.count("\ufffd")
            bad += damaged
            good += sum(1 for character in block if character > "\x7f") - damaged if not block.isascii() else 0
    return "utf-8" if good >= bad * _GOOD_FOR_EACH_BAD else charset.detect(source)


def _name(encoding: str) -> str:
    return encoding.replace("_", "-").upper()
