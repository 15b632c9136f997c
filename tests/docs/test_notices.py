"""docs/notices.md prints the notices that the code publishes, and explains each attribute, field and reason."""

import ast
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from shared import pipeline
from shared.events import JOB_FINISHED, STEP_FINISHED, Notice
from shared.model import File, Run
from shared.plan import Task
from shared.settings import ROOT
from shared.testing import FakeCloud
from tests.docs import blocks
from tests.docs.masks import masked

PAGE = ROOT / "docs" / "notices.md"
PROCESSORS = ROOT / "docs" / "processors.md"
#: Reasons that these files write into manifests themselves; the others are codes of `BadFile` and `Vanished`.
WRITTEN = {
    "shared/pipeline.py": {"empty", "name_too_long", "no_route", "too_large"},
    "shared/guard.py": {"guard"},
    "shared/delivery.py": {"after_skipped", "attempts_used_up", "bad_option", "when"},
    "shared/manifest.py": {"after_failed", "cancelled"},
    "shared/sandbox/outcome.py": {"decoder_crashed", "limit_memory", "limit_output", "limit_time"},
}


@pytest.fixture
def notices(cloud: FakeCloud, uploaded: Callable[..., File]) -> list[Notice]:
    """Of a text that succeeds, and of a damaged picture."""
    for file in (uploaded("notes.txt", b"a few words\n", "text/plain"), uploaded("scan.jpg", b"\xff\xd8\xff damaged")):
        plan = cloud.routes.plan(file)
        for place in plan.first:
            pipeline.process(Task(Run(file), plan, place), 1, cloud)
    return cloud.completions.notices


def _of(notices: list[Notice], kind: str, name: str) -> Notice:
    (notice,) = [found for found in notices if (found.attributes["ce-type"], found.attributes["name"]) == (kind, name)]
    return notice


def test_the_printed_notices_are_the_published_ones(notices: list[Notice]) -> None:
    step, job = _of(notices, STEP_FINISHED, "notes.txt"), _of(notices, JOB_FINISHED, "scan.jpg")
    real = [value for notice in (step, job) for value in (dict(notice.attributes), json.loads(notice.data))]
    printed = [json.loads(block.text) for block in blocks.read(PAGE) if block.language == "json"]

    assert [masked(_text(value)) for value in printed] == [masked(_text(value)) for value in real]


def _text(value: Any) -> str:
    return json.dumps(value, indent=1, sort_keys=True)


def test_every_attribute_and_field_is_explained(notices: list[Notice]) -> None:
    explained = {name for row in _rows() for name in re.findall(r"`([\w-]+)`", row)}
    attributes = {key for notice in notices for key in notice.attributes}
    fields = {key for notice in notices for key in _keys(json.loads(notice.data))}

    assert (attributes | fields) - explained == set()


def _keys(value: Any) -> Iterator[str]:
    """Every key, but those of `options` and `facts`, which depend on the processor."""
    for key, item in value.items() if isinstance(value, dict) else [("", item) for item in value]:
        if key:
            yield key
        if isinstance(item, (dict, list)) and key not in ("options", "facts", "metadata"):
            yield from _keys(item)


def test_every_reason_of_a_verdict_is_listed_and_no_other() -> None:
    listed = {found[1] for row in _rows() if (found := re.match(r"\| `\w+` \| `(\w+)` \|", row))}

    raised = set().union(*WRITTEN.values()) | _codes_of("BadFile") | _codes_of("Vanished")
    others = raised - _codes_of("BadFile", "shared/processors")
    assert listed == others, "docs/notices.md lists each reason in a row `verdict | reason | when`"


def test_every_reason_of_a_processor_is_listed_and_no_other() -> None:
    listed = re.findall(r"^\| `(\w+)` \|", PROCESSORS.read_text().partition("\n## Reasons\n")[2], re.MULTILINE)

    assert sorted(listed) == sorted(_codes_of("BadFile", "shared/processors")), "docs/processors.md lists each in its Reasons"


def test_the_reasons_of_the_pipeline_are_in_its_source() -> None:
    missing = [
        reason for file, reasons in WRITTEN.items() for reason in reasons if f'"{reason}"' not in (ROOT / file).read_text()
    ]

    assert missing == []


def _codes_of(kind: str, folder: str = "shared") -> set[str]:
    texts = [text for path in (ROOT / folder).rglob("*.py") if f"{kind}(" in (text := path.read_text())]
    calls = [node for text in texts for node in ast.walk(ast.parse(text))]
    made = [node for node in calls if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == kind]
    return {str(code.value) for call in made if isinstance(code := call.args[1], ast.Constant)}


def _rows() -> list[str]:
    return re.findall(r"^\|.*\|$", PAGE.read_text(), re.MULTILINE)
