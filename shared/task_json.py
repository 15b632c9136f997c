"""The JSON of a task, as Cloud Tasks carries it → `Task`. Every field is checked: no retry mends one.

Fields that a newer release adds are ignored, and those that an older one lacks have their defaults.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Any

from shared import naming
from shared.errors import BadRequest
from shared.model import Json
from shared.plan import FILE, Task
from shared.routes.keys import MAX_DEADLINE_SECONDS, MEBIBYTES

#: A field → its test and a right value. A field of `?` may be missing.
Fields = Mapping[str, tuple[Callable[[Any], bool], str]]

#: Memory of the largest instance; outputs lie in it, too.
MAX_BYTES = max(most for _, most in MEBIBYTES.values()) << 20
MAX_NAME_CHARACTERS = 63
MAX_DIGITS = 19
#: Of attempts, stages, runs and sweeps; far more than any has.
MAX_COUNT = 1_000_000_000


def read(body: Json) -> Task:
    """The task of a delivery. Raises `BadRequest` naming the field that no task has so."""
    _check("", body, _TASK)
    _check("file", body["file"], _FILE)
    _check("plan", body["plan"], _PLAN)
    before: dict[str, set[str]] = {}
    for number, step in enumerate(body["plan"]["steps"]):
        _check_step(f"plan.steps[{number}]", step, before)
    try:
        return Task.from_json(body)
    except ValueError:
        raise _bad("stage", body["stage"], "no task of the plan has this stage and queue") from None


def _check_step(path: str, step: Any, before: dict[str, set[str]]) -> None:
    """Check a step behind those `before`, each with all that it comes after."""
    _check(path, step, _STEP)
    _check(f"{path}.recipe", step["recipe"], _RECIPE)
    _check(f"{path}.limits", step.get("limits", {}), _LIMITS if "limits" in step else {})
    after = step.get("after", [])
    _check_known(f"{path}.after", after, before)
    earlier = {*after, *(name for one in after for name in before[one])}
    if made_from := step["recipe"].get("input", ""):
        _check_known(f"{path}.recipe.input", [made_from.partition("/")[0]], after)
    if when := step.get("when"):
        _check(f"{path}.when", when, _WHEN)
        _check_known(f"{path}.when.step", [when["step"]], {*earlier, FILE})
    name = step["recipe"]["step"]
    if name in before:
        raise _bad(f"{path}.recipe.step", name, "another step has this name")
    before[name] = earlier


def _check_known(path: str, names: Collection[str], known: Collection[str]) -> None:
    for unknown in (name for name in names if name not in known):
        raise _bad(path, unknown, "no step that comes before has this name")


def _check(path: str, value: Any, fields: Fields) -> None:
    if not isinstance(value, dict):
        raise _bad(path or "the body", value, "write an object")
    for key, (is_right, right) in fields.items():
        name, is_optional = key.rstrip("?"), key.endswith("?")
        if name not in value and is_optional:
            continue
        if name not in value or not is_right(value[name]):
            raise _bad(f"{path}.{name}".lstrip("."), value.get(name), right)


def _bad(path: str, value: Any, right: str) -> BadRequest:
    return BadRequest(f"{path}: {str(value)[:80]!r} is impossible; {right}", "bad_json")


def _whole(least: int, most: int) -> tuple[Callable[[Any], bool], str]:
    def is_whole(value: Any) -> bool:
        is_number = isinstance(value, int) and not isinstance(value, bool)
        return is_number and least <= value <= most

    return is_whole, f"write a whole number from {least} to {most}"


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_generation(value: Any) -> bool:
    is_number = isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) <= MAX_DIGITS
    return is_number and int(value) < 1 << 63


def _is_name(value: Any) -> bool:
    is_part = isinstance(value, str) and 1 <= len(value) <= MAX_NAME_CHARACTERS
    return is_part and value.isprintable() and "/" not in value and value not in (".", "..")


def _is_input(value: Any) -> bool:
    return isinstance(value, str) and (not value or all(value.partition("/")))


def _is_table(value: Any) -> bool:
    return isinstance(value, dict)


def _is_pairs(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(one, str) for one in value.values())


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _is_exact(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and value == value


_TEXT, _NAME = (_is_text, "write text"), (_is_name, f"write 1 to {MAX_NAME_CHARACTERS} printable characters without a slash")
_TABLE, _PAIRS, _TEXTS = (_is_table, "write an object"), (_is_pairs, "write an object of texts"), (_is_texts, "list texts")
_NUMBER, _COUNT = (_is_exact, "write a number"), _whole(0, MAX_COUNT)
_TASK: Fields = {
    "file": _TABLE,
    "run": _COUNT,
    "plan": _TABLE,
    "stage": _COUNT,
    "queue": _NAME,
    "sweep": _COUNT,
    "adopted?": _PAIRS,
}
_FILE: Fields = {
    "bucket": (lambda value: isinstance(value, str) and naming.is_possible(value), "write the name of a bucket"),
    "name": (lambda value: isinstance(value, str) and naming.is_possible(value), "write the name of an object"),
    "generation": (_is_generation, "write a decimal number as text"),
    "size": _whole(0, 1 << 63),
    "content_type": _TEXT,
    "crc32c": _TEXT,
    "metadata?": _PAIRS,
}
_PLAN: Fields = {"steps": (lambda value: isinstance(value, list), "list the steps"), "ignored?": _TEXTS}
_STEP: Fields = {
    "recipe": _TABLE,
    "queue": _NAME,
    "attempts": _COUNT,
    "after?": _TEXTS,
    "when?": (lambda value: value is None or isinstance(value, dict), "write a condition, or null"),
    "fault?": _TEXT,
    "limits?": _TABLE,
}
_RECIPE: Fields = {
    "step": _NAME,
    "processor": _NAME,
    "version": _COUNT,
    "options": _TABLE,
    "recipe_id": _NAME,
    "input?": (_is_input, "write `<step>/<output>`, or nothing"),
    "made_by?": _TEXT,
    "cache_control?": _TEXT,
    "copy_metadata?": (lambda value: isinstance(value, bool), "write true or false"),
}
_LIMITS: Fields = {
    "memory_bytes": _whole(1, MAX_BYTES),
    "seconds": _whole(1, MAX_DEADLINE_SECONDS),
    "output_bytes": _whole(1, MAX_BYTES),
}
_WHEN: Fields = {
    "step": _TEXT,
    "fact": _TEXT,
    "in?": (lambda value: isinstance(value, list), "list values"),
    "min?": _NUMBER,
    "max?": _NUMBER,
}
