"""`service.call` with the example service in Node."""

import re
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from shared import origins, processors
from shared.errors import BadFile, ProcessorFailed
from shared.model import LIMITS
from shared.outside.reach import Reach
from shared.processors import Made
from shared.settings import ROOT

SERVICE = ROOT / "examples" / "service-in-node" / "service.mjs"


@pytest.fixture(scope="module")
def url(program: Callable[[str], str]) -> Iterator[str]:
    """The address of the example service, on a free port."""
    with subprocess.Popen([program("node"), SERVICE, "0"], stdout=subprocess.PIPE, text=True) as service:
        assert service.stdout is not None
        port = re.fullmatch(r"listening on port ([0-9]+)\n", service.stdout.readline())
        assert port is not None
        yield f"http://127.0.0.1:{port[1]}"
        service.kill()


def call(url: str, folder: Path, data: bytes, **options: Any) -> Made:
    processor = processors.find("service.call")
    checked = processor.check({"url": url, **options})
    source = folder / "source"
    source.write_bytes(data)
    limits = replace(LIMITS, output_bytes=8 << 20)
    reach = Reach(origins=frozenset({origins.of(url)}), limits=limits, deadline=time.monotonic() + 60)
    return processor.run(source, folder, checked, reach=reach)


def test_the_lines_of_a_text_become_facts(url: str, tmp_path: Path) -> None:
    text = "Größe\n".encode() * 50_000

    assert call(f"{url}/lines", tmp_path, text).facts == {"bytes": 400_000, "lines": 50_000}


def test_a_text_comes_back_in_capitals_while_it_is_sent(url: str, tmp_path: Path) -> None:
    made = call(f"{url}/upper", tmp_path, b"abc\n" * 1_000_000, answer="output", output="upper.txt")

    (draft,) = made.drafts
    assert draft.content_type == "text/plain; charset=utf-8"
    assert draft.path.read_bytes() == b"ABC\n" * 1_000_000


def test_a_file_that_is_no_text_is_refused_in_the_service_s_words(url: str, tmp_path: Path) -> None:
    with pytest.raises(BadFile) as refused:
        call(f"{url}/lines", tmp_path, b"\xff")

    assert (refused.value.code, refused.value.message) == (
        "refused_by_service",
        "the service answered 422: the file is no text in UTF-8",
    )


def test_a_text_that_goes_wrong_in_the_middle_is_no_output(url: str, tmp_path: Path) -> None:
    with pytest.raises(ProcessorFailed, match="broke off"):
        call(f"{url}/upper", tmp_path, b"abc\n" * 100_000 + b"\xff", answer="output", output="upper.txt")


def test_a_wrong_path_is_no_fault_of_the_file(url: str, tmp_path: Path) -> None:
    with pytest.raises(ProcessorFailed, match=r"^the service answered 404: POST a text to /lines or /upper$"):
        call(f"{url}/other", tmp_path, b"abc")
