"""Tasks that no plan has: the processor gives them up, and names the field."""

import copy
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from shared import task_json
from shared.errors import Permanent
from shared.model import File, Json, Run
from shared.plan import Condition, Plan, Task
from shared.testing import FakeCloud
from tests.functions.calls import Load

Path = tuple[str | int, ...]
WRONG: list[Any] = [None, True, -1, float("inf"), float("nan"), "", "\udcff", [], {}, [1], "../x", "9" * 5000, 10**400]
MISSING = object()
#: A processor or option that this release lacks may be one of a newer release, which is still being rolled out.
OF_ANOTHER_RELEASE = {("recipe", "processor"), ("recipe", "options")}


@pytest.fixture
def body(cloud: FakeCloud, uploaded: Callable[..., File], photo: bytes) -> Json:
    """The JSON of a task with every field."""
    file = uploaded("a/cat.jpg", photo, metadata={"a": "b"})
    plan = cloud.routes.plan(file)
    first, second = plan.steps
    conditional = replace(first, when=Condition("file", "size", {"min": 1, "max": 2}))
    later = replace(second, after=(first.name,), queue=first.queue, when=Condition(first.name, "size", {"in": [5]}))
    changed = Plan((conditional, later))
    return Task(Run(file), changed, changed.places[0], adopted={"x-12345678": "jobs/x"}).to_json()


def fields(value: Any, at: Path = ()) -> Iterator[Path]:
    """The path of each value within this one."""
    if isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield (*at, key)
            yield from fields(value[key], (*at, key))


def changed(body: Json, at: Path, new: Any) -> Json:
    """The JSON with another value at this place, or none."""
    whole: Any = copy.deepcopy(body)
    inner = whole
    for key in at[:-1]:
        inner = inner[key]
    if new is MISSING:
        del inner[at[-1]]
    else:
        inner[at[-1]] = new
    return whole  # type: ignore[no-any-return]


def is_given_up(body: Json) -> bool:
    """Whether the entry point answers this with 2xx at once: see `retry_only_transient`."""
    try:
        task_json.read(json.loads(json.dumps(body)))
    except Permanent:
        return True
    return False


def test_no_value_of_any_field_is_answered_with_5xx(client: Load, cloud: FakeCloud, bearer: Any, body: Json) -> None:
    processor, headers = client("processor"), bearer("tasks") | {"x-cloudtasks-taskretrycount": "0"}
    wrong = []
    for at in (at for at in fields(body) if at[:3] != ("plan", "steps", 0)):  # the second step has all fields, too
        for new in [*WRONG, MISSING]:
            sent = changed(body, at, new)
            if is_given_up(sent):
                continue
            cloud.results.versions.clear()
            answer = processor.post("/", json=sent, headers=headers)
            if answer.status_code != 200 and not (at[-2:] in OF_ANOTHER_RELEASE and answer.status_code == 503):
                wrong.append((at, str(new)[:20], answer.status_code))

    assert wrong == []
    cloud.completions.notices.clear()  # they repeat what was wrong


IMPOSSIBLE: dict[str, tuple[Path, Any]] = {
    "a negative stage": (("stage",), -1),
    "an unknown queue": (("queue",), "q9"),
    "a step after itself": (("plan", "steps", 0, "after"), ["digest"]),
    "a step after a later one": (("plan", "steps", 0, "after"), ["thumbnails"]),
    "a step after none that is there": (("plan", "steps", 1, "after"), ["nobody"]),
    "a condition on a later step": (("plan", "steps", 0, "when", "step"), "thumbnails"),
    "two steps of one name": (("plan", "steps", 1, "recipe", "step"), "digest"),
    "an input of no step before": (("plan", "steps", 1, "recipe", "input"), "nobody/1.png"),
    "too much memory": (("plan", "steps", 0, "limits", "memory_bytes"), 10**18),
    "no time": (("plan", "steps", 0, "limits", "seconds"), 0),
    "a time of no number": (("plan", "steps", 0, "limits", "seconds"), float("nan")),
    "a run of no number": (("run",), True),
    "a condition of no number": (("plan", "steps", 0, "when", "min"), float("nan")),
    "a folder as the name of a recipe": (("plan", "steps", 1, "recipe", "recipe_id"), ".."),
    "a generation of 20 digits": (("file", "generation"), "1" * 20),
    "a generation of 65 bits": (("file", "generation"), "9" * 19),
    "a name that no object has": (("file", "name"), "\udcff"),
    "another bucket": (("file", "bucket"), "others"),
}


@pytest.mark.parametrize("what", IMPOSSIBLE)
def test_an_impossible_task_is_given_up_and_its_field_is_named(
    client: Load, cloud: FakeCloud, bearer: Any, body: Json, what: str
) -> None:
    at, new = IMPOSSIBLE[what]
    headers = bearer("tasks") | {"x-cloudtasks-taskretrycount": "3"}
    answer = client("processor").post("/", json=changed(body, at, new), headers=headers)

    assert answer.status_code == 200
    assert answer.json is not None
    assert answer.json["gave_up"] == ("forbidden" if what == "another bucket" else "bad_json")
    assert str(at[-1] if isinstance(at[-1], str) else at[-2]) in answer.json["message"].replace("queue", "stage and queue")
    assert list(cloud.results.versions) == []


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("recipe.input", {"when": None, "input": "digest/1.png"}),
        ("when.step", {"when": {"step": "digest", "fact": "size", "in": [5]}, "input": ""}),
    ],
)
def test_a_step_needs_only_what_it_comes_after(body: Json, field: str, change: Json) -> None:
    step = body["plan"]["steps"][1]
    step |= {"after": [], "when": change["when"], "recipe": step["recipe"] | {"input": change["input"]}}

    with pytest.raises(Permanent, match=rf"^plan\.steps\[1\]\.{field}: 'digest' is impossible"):
        task_json.read(json.loads(json.dumps(body)))


def test_a_deep_task_is_given_up(client: Load, bearer: Any) -> None:
    deep = b'{"file": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    answer = client("processor").post("/", data=deep, headers=bearer("tasks") | {"x-cloudtasks-taskretrycount": "0"})

    assert (answer.status_code, json.loads(answer.text)["gave_up"]) == (200, "bad_json")
