"""Facts of texts: encoding, lines, words, and whether JSON or XML is well-formed."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from shared.errors import BadFile
from shared.model import Limits
from shared.processors import markup
from shared.processors.counting import Counted
from shared.processors.registry import NoOptions, processor

_BLOCK_CHARACTERS = 1 << 20
#: Control characters of terminals and printers, which texts have: backspace, tab, line feed, vertical tab, form feed, carriage
#: return, CP/M's end of file, escape. Any other one is a sign of a binary file.
_USUAL = frozenset("\b\t\n\v\f\r\x1a\x1b")
_CONTROLS = frozenset(map(chr, range(32))) - _USUAL


@processor(
    "text.facts",
    version=1,
    options=NoOptions,
    outputs=lambda _options: (),
    limits=Limits(memory_bytes=512 << 20, seconds=120, output_bytes=1 << 20),
)
def facts(source: Path, _folder: Path, _options: NoOptions) -> Iterator[Mapping[str, Any]]:
    """The facts `encoding`, `lines`, `words`, `characters`, `longest_line`; of JSON and XML whether it is `valid`."""
    from shared.processors import charset  # with the first text: services that only plan never need its patterns

    encoding, counted, head = charset.detect(source), Counted(), ""
    with source.open(encoding=encoding, errors="replace") as file:
        while text := file.read(_BLOCK_CHARACTERS):
            head = head or text.lstrip()[:100]
            counted.add(text)
            if not _CONTROLS.isdisjoint(text):
                raise BadFile("the file is no text: it has control characters; upload it under its own type", "not_a_text")
    yield {
        "encoding": "utf-8" if encoding == "utf-8-sig" else encoding.replace("_", "-"),
        "lines": counted.lines,
        "words": counted.words,
        "characters": counted.characters,
        "longest_line": counted.longest,
        **markup.facts(source, encoding, head),
    }
