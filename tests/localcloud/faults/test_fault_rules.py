"""Which calls and messages a rule hits."""

from typing import Any

import pytest

from localcloud.faults.rules import Faults


def test_a_rule_ends_after_its_number_of_hits() -> None:
    faults = Faults()
    faults.add(kind="answer", place="storage", match="^POST /upload", left=2, status=503)
    hits = [
        faults.take("storage", subject) for subject in ("GET /upload", "POST /upload?x", "POST /upload?y", "POST /upload?z")
    ]

    assert [hit is not None for hit in hits] == [False, True, True, False]
    assert faults.to_json() == []


def test_the_oldest_rule_hits_first() -> None:
    faults = Faults()
    for status in (503, 429):
        faults.add(kind="answer", place="tasks", status=status)

    assert [rule.status for rule in (faults.take("tasks", "x"), faults.take("tasks", "x")) if rule] == [503, 429]


def test_a_rule_hits_only_its_place() -> None:
    faults = Faults()
    faults.add(kind="delay", place="notifications", seconds=1)

    assert faults.take("messages", "x") is None


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"kind": "explode", "place": "storage"}, "answer, cut"),
        ({"kind": "drop", "place": "storage"}, "notifications, messages"),
        ({"kind": "answer", "place": "storage"}, "status"),
        ({"kind": "answer", "place": "storage", "status": 200}, "400 to 599"),
        ({"kind": "cut", "place": "storage"}, "after_bytes"),
        ({"kind": "delay", "place": "storage"}, "seconds"),
        ({"kind": "drop", "place": "messages", "left": 0}, "above 0"),
        ({"kind": "drop", "place": "messages", "match": "("}, "unterminated"),
        ({"kind": "drop", "place": "messages", "colour": "red"}, "colour"),
        ({}, "kind"),
    ],
)
def test_an_invalid_rule_is_refused_with_a_reason(rule: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Faults().add(**rule)
