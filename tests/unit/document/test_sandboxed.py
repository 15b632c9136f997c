"""Documents in the real sandbox: the usual ones are read there, bombs end at its limits."""

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from shared import processors
from shared.errors import BadFile
from shared.model import recipe
from shared.sandbox.outcome import Ran
from shared.sandbox.service import Sandbox
from tests.unit.document import pdfs
from tests.unit.document.offices import docx, paragraph

MEMORY_BYTES = 160 << 20
Run = Callable[[str, bytes, int], Ran]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """A sandbox whose zygote has loaded the readers."""
    shared = Sandbox(["document.text", "document.pages"], 1 << 30)
    yield shared
    shared.stop()


@pytest.fixture
def run(sandbox: Sandbox, tmp_path: Path) -> Run:
    """A processor's run on a file with these bytes, under `MEMORY_BYTES` and so many seconds."""

    def ran(name: str, data: bytes, seconds: int) -> Ran:
        processor = processors.find(name)
        place = Path(tempfile.mkdtemp(dir=tmp_path))
        source, folder = place / "source", place / "folder"
        source.write_bytes(data)
        folder.mkdir()
        exact = recipe("step", processor.name, processor.version, processor.check({}))
        return sandbox.run(exact, source, folder, replace(processor.limits, memory_bytes=MEMORY_BYTES, seconds=seconds))

    return ran


def reason(ran: Ran) -> str:
    assert isinstance(ran.outcome, BadFile)
    return ran.outcome.code


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (pdfs.pdf(["Hello"]), b"Hello"),
        (docx(paragraph("Hello")), b"Hello"),
        (b"From: a@b.c\nSubject: s\n\nHello", b"Hello"),
        ("Größe, schön".encode("cp1252"), "Größe, schön".encode()),
    ],
    ids=["pdf", "docx", "mail", "text"],
)
def test_a_document_is_read(run: Run, data: bytes, text: bytes) -> None:
    (draft,) = run("document.text", data, 60).made().drafts

    assert draft.path.read_bytes() == text


def test_a_page_is_drawn(run: Run) -> None:
    (draft,) = run("document.pages", pdfs.pdf(["Hello"]), 60).made().drafts

    assert draft.path.read_bytes()[8:12] == b"WEBP"


@pytest.mark.parametrize("processor", ["document.text", "document.pages"])
def test_a_page_that_unpacks_without_end_ends_the_child(run: Run, processor: str) -> None:
    assert reason(run(processor, pdfs.packed(300 << 20, 2), 60)) in ("limit_memory", "decoder_crashed")


def test_markup_that_takes_too_long_ends_the_child(run: Run) -> None:
    assert reason(run("document.text", b"<html>" + b"<" * 4_000_000, 1)) == "limit_time"
