"""The price of our processors on a PDF: text and first page of ten pages, beside PDFium alone on the same bytes."""

import io
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pypdfium2

from shared import processors
from tests.unit.document import pdfs

PAIRS = 40
PAGES = 10
EDGE_PX = 1536
#: The share of our CPU time that PDFium takes alone.
GOAL = 0.8
#: A page of a report.
_LINES = "\n".join("it was the best of times it was the worst of times" for _ in range(23))


def measure(folder: Path) -> dict[str, Any]:
    """Medians of pairs, in milliseconds of CPU; the first ones load the libraries."""
    source = folder / "report.pdf"
    source.write_bytes(pdfs.pdf([_LINES] * PAGES))
    pairs = [(_timed(_ours, source), _timed(_bare, source)) for _ in range(PAIRS + 2)][2:]
    ours, bare = (statistics.median(column) for column in zip(*pairs, strict=True))
    return {"ours": ours, "bare": bare, "ratio": statistics.median(bare / ours for ours, bare in pairs), "pairs": PAIRS}


def show(figures: dict[str, Any]) -> None:
    """Print the ratio beside its goal."""
    verdict = "met" if figures["ratio"] >= GOAL else "MISSED"
    print(
        f"documents, text of {PAGES} pages and a picture of the first, {figures['pairs']} pairs: {figures['ours']:.1f} ms of CPU, "
        f"PDFium alone {figures['bare']:.1f} ms, ratio {figures['ratio']:.2f}, goal ≥ {GOAL}: {verdict}"
    )


def _timed(work: Callable[[Path, Path], None], source: Path) -> float:
    with tempfile.TemporaryDirectory(prefix="sluice-bench-") as folder:
        started = time.process_time()
        work(source, Path(folder))
        return (time.process_time() - started) * 1000


def _ours(source: Path, folder: Path) -> None:
    for name in ("document.text", "document.pages"):
        processor = processors.find(name)
        processor.run(source, folder, processor.check({}))


def _bare(source: Path, folder: Path) -> None:
    """The least that any program needs: one opening, and the same text and picture."""
    document = pypdfium2.PdfDocument(source)
    text = "\f".join(page.get_textpage().get_text_bounded() for page in document)
    (folder / "text.txt").write_text(text, encoding="utf-8")
    page = document[0]
    picture = io.BytesIO()
    page.render(scale=EDGE_PX / max(page.get_size())).to_pil().save(picture, "WEBP", quality=80)
    (folder / "1.webp").write_bytes(picture.getvalue())
    document.close()


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory(prefix="sluice-documents-") as folder:
        show(measure(Path(folder)))


if __name__ == "__main__":
    main()
