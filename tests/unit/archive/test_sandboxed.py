"""Archives in the real sandbox, within its limits."""

import lzma
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from shared import processors
from shared.errors import BadFile
from shared.model import recipe
from shared.processors import Made
from shared.sandbox.service import Sandbox
from tests.unit.archive.archives import patched, tar_member, tarred, zipped


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    sandbox = Sandbox(["archive.extract"], 2 << 30)
    yield sandbox
    sandbox.stop()


def run(sandbox: Sandbox, folder: Path, data: bytes, **options: Any) -> Made:
    processor = processors.find("archive.extract")
    exact = recipe("extract", processor.name, processor.version, processor.check(options))
    (folder / "source").write_bytes(data)
    (folder / "work").mkdir()
    limits = replace(processor.limits, output_bytes=1 << 20)
    return sandbox.run(exact, folder / "source", folder / "work", limits).made()


def test_a_packed_tar_is_extracted_in_the_sandbox(sandbox: Sandbox, tmp_path: Path) -> None:
    made = run(sandbox, tmp_path, lzma.compress(tarred(tar_member("a.md", data=b"# A"), tar_member("../b", data=b"x"))))

    (draft,) = made.drafts
    assert (draft.name, draft.content_type, draft.path.read_bytes()) == ("1", "text/markdown", b"# A")
    assert [entry["reason"] for entry in made.facts["refused"]] == ["unsafe_path"]


def test_members_beyond_the_steps_outputs_end_at_its_limit(sandbox: Sandbox, tmp_path: Path) -> None:
    with pytest.raises(BadFile) as refused:
        run(sandbox, tmp_path, tarred(tar_member("large", data=bytes(6 << 20))))

    assert refused.value.code == "limit_output"


def test_a_member_whose_dictionary_is_too_large_spares_the_others(sandbox: Sandbox, tmp_path: Path) -> None:
    data = zipped({"a": b"x" * 100, "b": b"y" * 100}, compression=zipfile.ZIP_LZMA)
    dictionary = data.index(b"\x5d\0\0") + 1

    made = run(sandbox, tmp_path, patched(data, dictionary, b"\xff\xff\xff\xff"))

    assert [draft.name for draft in made.drafts] == ["2"]
    assert [entry["reason"] for entry in made.facts["refused"]] == ["unsupported"]
