"""The examples in docs/documents.md are facts of these files."""

import json
from collections.abc import Iterator
from typing import Any

from shared.settings import ROOT
from shared.testing import run_processor
from tests.unit.document import pdfs
from tests.unit.document.offices import docx
from tests.unit.document.test_office import MAIL, PAGE
from tests.unit.document.test_pdf import INFO


def examples() -> Iterator[Any]:
    """The JSON objects of the page, in their order."""
    page = (ROOT / "docs" / "documents.md").read_text()
    for block in page.split("```json\n")[1:]:
        text = block.partition("```")[0].strip()
        while text:
            found, end = json.JSONDecoder().raw_decode(text)
            yield found
            text = text[end:].strip()


def test_the_examples_are_true() -> None:
    documents = (pdfs.pdf(["one", "two"], INFO), docx(""), PAGE, MAIL)
    facts = [run_processor("document.facts", data).facts for data in documents]
    lines = run_processor("text.facts", b'{"a": "one two"}\n{"b": [1, 2]}\n').facts

    assert list(examples()) == [*facts, lines]
