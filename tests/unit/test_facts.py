"""Facts of a processor: merged, plain JSON, and an output when they are large."""

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from shared.errors import BadFile
from shared.processors import Draft, Made, Processor
from shared.processors.registry import MAX_FACTS_BYTES, NoOptions


def run(folder: Path, *made: Any, declared: Any = None) -> Made:
    """The result of a processor that yields these; a text stands for an output of that name."""

    def work(_source: Path, folder: Path, _options: NoOptions) -> Iterator[Any]:
        for one in made:
            if isinstance(one, str):
                (folder / one).write_text(one)
            yield Draft(one, "text/plain", folder / one) if isinstance(one, str) else one

    return Processor("test.facts", 1, NoOptions, work, declared).run(folder, folder, {})


def test_facts_from_several_mappings_are_merged(tmp_path: Path) -> None:
    made = run(tmp_path, {"pages": 2}, "a.txt", {"author": "Ada", "size": {"width": 3}})

    assert made.facts == {"pages": 2, "author": "Ada", "size": {"width": 3}}
    assert [draft.name for draft in made.drafts] == ["a.txt"]


def test_a_processor_may_make_facts_and_no_output(tmp_path: Path) -> None:
    assert run(tmp_path, {"pages": 2}) == Made((), {"pages": 2})


@pytest.mark.parametrize("made", [(), ({},), ({}, {})])
def test_a_processor_without_output_and_fact_blames_the_file(tmp_path: Path, made: tuple[Any, ...]) -> None:
    with pytest.raises(BadFile) as refused:
        run(tmp_path, *made)

    assert refused.value.code == "no_output"


def test_facts_are_the_same_as_when_they_are_read_back(tmp_path: Path) -> None:
    assert run(tmp_path, {"edges": (1, 2), "seen": {3: True}}).facts == {"edges": [1, 2], "seen": {"3": True}}


def test_a_fact_given_twice_is_the_processors_fault(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"^test\.facts gives the fact 'pages' twice; give each once$"):
        run(tmp_path, {"pages": 2}, {"author": "Ada", "pages": 2})


@pytest.mark.parametrize("made", [None, 5, ["pages"], b"pages", ("pages", 2)])
def test_neither_a_draft_nor_facts_is_the_processors_fault(tmp_path: Path, made: Any) -> None:
    with pytest.raises(ValueError, match=r"^test\.facts yields .+; yield a Draft for an output, a dict for facts$"):
        run(tmp_path, made)


@pytest.mark.parametrize("facts", [{"at": date(2026, 1, 1)}, {"ratio": float("nan")}, {1: 1, "a": 1}, {"blob": b"x"}])
def test_facts_that_json_cannot_write_are_the_processors_fault(tmp_path: Path, facts: Any) -> None:
    with pytest.raises(ValueError, match=r"^test\.facts gives the file facts that JSON cannot hold: "):
        run(tmp_path, facts)


# ---- large facts


def facts_of(size: int) -> dict[str, str]:
    """Facts with this many bytes of JSON."""
    return {"text": "x" * (size - len('{"text":""}'))}


def test_facts_within_the_limit_stay_facts(tmp_path: Path) -> None:
    assert run(tmp_path, facts_of(MAX_FACTS_BYTES)) == Made((), facts_of(MAX_FACTS_BYTES))


@pytest.mark.parametrize("declared", [None, lambda _options: ("a.txt",)])
def test_larger_facts_become_an_output(tmp_path: Path, declared: Any) -> None:
    facts = facts_of(MAX_FACTS_BYTES + 1)
    made = run(tmp_path, "a.txt", facts, declared=declared)

    assert made.facts == {}
    assert [(draft.name, draft.content_type) for draft in made.drafts] == [
        ("a.txt", "text/plain"),
        ("facts.json", "application/json"),
    ]
    assert json.loads(made.drafts[1].path.read_bytes()) == facts


def test_the_limit_counts_bytes_not_characters(tmp_path: Path) -> None:
    assert run(tmp_path, {"text": "ä" * (MAX_FACTS_BYTES // 2)}).facts == {}


@pytest.mark.parametrize("facts", [{"pages": 2}, facts_of(MAX_FACTS_BYTES + 1)])
def test_an_output_named_like_large_facts_is_refused_beside_facts(tmp_path: Path, facts: Any) -> None:
    with pytest.raises(ValueError, match=r"^test\.facts names an output 'facts\.json', which is kept for large facts; "):
        run(tmp_path, "facts.json", facts)


def test_an_output_named_like_large_facts_is_taken_without_facts(tmp_path: Path) -> None:
    assert [draft.name for draft in run(tmp_path, "facts.json").drafts] == ["facts.json"]
