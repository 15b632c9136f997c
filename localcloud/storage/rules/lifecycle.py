"""Lifecycle rules: their checks, and the action for an object. Pure.

https://cloud.google.com/storage/docs/lifecycle
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from localcloud.storage.errors import invalid, unsupported
from localcloud.storage.model import Object, Settings
from localcloud.storage.rules.objects import check_class

DAY_SECONDS = 24 * 3600
DELETE, SET_CLASS, ABORT = "Delete", "SetStorageClass", "AbortIncompleteMultipartUpload"
MAX_RULES = 100
#: Rank of a storage class, higher for cheaper storage; 0 for all others.
_COLDNESS = {"DURABLE_REDUCED_AVAILABILITY": -1, "NEARLINE": 1, "COLDLINE": 2, "ARCHIVE": 3}
_NUMBERS = {"age", "numNewerVersions", "daysSinceNoncurrentTime", "daysSinceCustomTime"}
_DATES = {"createdBefore", "noncurrentTimeBefore", "customTimeBefore"}
_LISTS = {"matchesPrefix", "matchesSuffix", "matchesStorageClass"}


@dataclass(frozen=True, slots=True)
class Facts:
    """One generation, the current time, and the number of newer generations, which is computed on demand."""

    object: Object
    now: float
    newer: Callable[[], int]


def check_lifecycle(value: Any) -> Settings | None:
    """The checked configuration, None without rules; 400 names a malformed or unsupported rule."""
    rules = value.get("rule", []) if isinstance(value, dict) else None
    if not isinstance(rules, list) or len(rules) > MAX_RULES:
        raise invalid(f"lifecycle.rule must be a list of at most {MAX_RULES} rules.")
    for rule in rules:
        if (
            not isinstance(rule, dict)
            or not isinstance(rule.get("action"), dict)
            or not isinstance(rule.get("condition"), dict)
        ):
            raise invalid("Every lifecycle rule needs an action and a condition.")
        _check_action(rule["action"], rule["condition"])
        for key, wanted in rule["condition"].items():
            _check_condition(key, wanted)
    return {"rule": rules} if rules else None


def applies(condition: Mapping[str, Any], facts: Facts) -> bool:
    """Whether every part of a condition holds."""
    return all(_CONDITIONS[key](wanted, facts) for key, wanted in condition.items())


def choose_action(actions: Sequence[Mapping[str, Any]], storage_class: str) -> Mapping[str, Any] | None:
    """The one action for an object of that class: deletion first, else the change to the cheapest class.

    A change to a dearer class is dropped (https://cloud.google.com/storage/docs/lifecycle#multiple-rules, #setstorageclass).
    """
    deletes = (action for action in actions if action["type"] == DELETE)
    colder = (a for a in actions if a["type"] == SET_CLASS and _coldness(a["storageClass"]) > _coldness(storage_class))
    return next(deletes, None) or max(colder, key=lambda action: _coldness(action["storageClass"]), default=None)


def _coldness(storage_class: str) -> int:
    return _COLDNESS.get(storage_class.upper(), 0)


def _check_action(action: Mapping[str, Any], condition: Mapping[str, Any]) -> None:
    kind = action.get("type")
    if kind not in (DELETE, SET_CLASS, ABORT):
        raise unsupported(f"the lifecycle action {str(kind)[:40]!r}")
    if kind == SET_CLASS:
        check_class(action.get("storageClass"))
    if not condition:
        raise invalid("A lifecycle rule's condition cannot be empty.")
    if kind == ABORT and not condition.keys() <= {"age", "matchesPrefix", "matchesSuffix"}:
        raise invalid(f"{ABORT} allows the conditions age, matchesPrefix and matchesSuffix only.")


def _check_condition(key: str, wanted: Any) -> None:
    if key in _NUMBERS:
        is_fine = isinstance(wanted, int) and not isinstance(wanted, bool) and wanted >= 0
    elif key in _DATES:
        is_fine = isinstance(wanted, str) and _is_date(wanted)
    elif key in _LISTS:
        is_fine = isinstance(wanted, list) and all(isinstance(text, str) for text in wanted)
    elif key == "isLive":
        is_fine = isinstance(wanted, bool)
    else:
        raise unsupported(f"the lifecycle condition {key[:40]!r}")
    if not is_fine:
        raise invalid(f"Invalid value of the lifecycle condition {key}: {str(wanted)[:60]!r}")


def _is_date(text: str) -> bool:
    try:
        _seconds(text)
    except ValueError:
        return False
    return True


def _seconds(text: str) -> float:
    return datetime.fromisoformat(f"{text}T00:00:00+00:00" if "T" not in text else text).timestamp()


def _is_past(start: float | None, days: int, now: float) -> bool:
    return start is not None and now >= start + days * DAY_SECONDS


def _custom(facts: Facts) -> float | None:
    text = facts.object.settings.get("customTime")
    return _seconds(text) if text else None


def _is_before(start: float | None, date: str) -> bool:
    return start is not None and start < _seconds(date)


_CONDITIONS: dict[str, Callable[[Any, Facts], bool]] = {
    "age": lambda days, facts: _is_past(facts.object.created, days, facts.now),
    "createdBefore": lambda date, facts: _is_before(facts.object.created, date),
    "isLive": lambda wanted, facts: wanted == (facts.object.deleted is None),
    "matchesPrefix": lambda texts, facts: facts.object.name.startswith(tuple(texts)),
    "matchesSuffix": lambda texts, facts: facts.object.name.endswith(tuple(texts)),
    "matchesStorageClass": lambda texts, facts: facts.object.settings.get("storageClass", "STANDARD") in texts,
    "daysSinceNoncurrentTime": lambda days, facts: _is_past(facts.object.deleted, days, facts.now),
    "noncurrentTimeBefore": lambda date, facts: _is_before(facts.object.deleted, date),
    "daysSinceCustomTime": lambda days, facts: _is_past(_custom(facts), days, facts.now),
    "customTimeBefore": lambda date, facts: _is_before(_custom(facts), date),
    "numNewerVersions": lambda count, facts: facts.newer() >= count,
}
