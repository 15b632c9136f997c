"""Mistakes in the order of steps in pipeline.toml: cycles, inputs, conditions, options per file."""

import math
import re
from collections.abc import Iterator
from typing import Any

import pytest

from shared import processors, routes
from shared.processors.registry import NoOptions, Processor, registered
from tests.unit.pipelines import fault, table


@pytest.mark.parametrize("name", ["b", 5, ["a"], {}])
def test_a_step_comes_after_steps_that_exist(name: Any) -> None:
    message = fault({"a": {"after": [name]}})

    assert re.fullmatch(r"steps\.a\.after: .+ is not allowed; list steps of a", message)


@pytest.mark.parametrize(
    ("after", "cycle"),
    [
        ({"a": ["a"]}, "a → a"),
        ({"a": ["b"], "b": ["a"]}, "a → b → a"),
        ({"a": ["c"], "b": ["a"], "c": ["b", "d"], "d": []}, "a → b → c → a"),
    ],
)
def test_a_cycle_is_named_in_the_order_of_its_steps(after: dict[str, list[str]], cycle: str) -> None:
    message = fault({name: {"after": names} for name, names in after.items()})

    assert message == f"steps.a.after: {cycle} is a cycle; leave out one of these"


@pytest.mark.parametrize(
    ("after", "cycles"),
    [
        ({"a": ["a"], "b": ["c"], "c": ["b"], "d": ["b"]}, {"a → a", "b → c → b"}),
        ({"a": ["b", "c"], "b": ["a"], "c": ["a"]}, {"a → b → a", "a → c → a"}),
    ],
)
def test_every_cycle_is_named(after: dict[str, list[str]], cycles: set[str]) -> None:
    message = fault({name: {"after": names} for name, names in after.items()})

    assert set(re.findall(r": (.+) is a cycle", message)) == cycles


@pytest.mark.parametrize("value", ["", "a", "a/", "/256.webp", 5, ["a/256.webp"]])
def test_an_input_is_written_as_step_and_output(value: Any) -> None:
    message = fault({"a": {}, "b": {"after": ["a"], "input": value}})

    assert re.fullmatch(r"steps\.b\.input: .* is not allowed; write `<step>/<output>` such as `pages/1\.png`", message)


@pytest.mark.parametrize("value", ["c/256.webp", "b/256.webp", "x/256.webp"])
def test_an_input_is_an_output_of_a_step_before(value: str) -> None:
    message = fault({"a": {}, "b": {"after": ["a"], "input": value}, "c": {}})

    assert message == f"steps.b.input: {value!r} is not allowed; write an output of a step in `after`: a"


def test_an_input_is_an_output_that_its_step_makes() -> None:
    options = {"sizes": [256, 128], "formats": ["png"]}
    message = fault({"a": {"options": options}, "b": {"after": ["a"], "input": "a/256.webp"}})

    assert message == "steps.b.input: a does not make '256.webp'; write a/128.png, a/256.png"


def test_the_outputs_of_a_processor_that_declares_none_are_not_checked(undeclared: str) -> None:
    steps = {"a": {"processor": undeclared}, "b": {"after": ["a"], "input": "a/anything"}}

    assert routes.check(table(steps)).steps["b"].recipe.input == "a/anything"


@pytest.fixture
def undeclared() -> Iterator[str]:
    name = "test.undeclared"
    registered[name] = Processor(name, 1, NoOptions, lambda *_: ())
    yield name
    del registered[name]


@pytest.mark.parametrize(
    ("when", "message"),
    [
        (5, ": 5 is not allowed; write { step = …, fact = …, is = … }"),
        ({}, ": {} is not allowed; write { step = …, fact = …, is = … }"),
        ({"fact": "n", "is": 1}, ".step: missing; write a step that comes before, or `file`"),
        ({"step": "a", "is": 1}, ".fact: missing; write a name such as `width_px`"),
        ({"step": "a", "fact": "", "is": 1}, ".fact: '' is not allowed; write a name such as `width_px`"),
        ({"step": "c", "fact": "n", "is": 1}, ".step: 'c' is not allowed; write a step that comes before: a, a0, file"),
        ({"step": "b", "fact": "n", "is": 1}, ".step: 'b' is not allowed; write a step that comes before: a, a0, file"),
        (
            {"step": "file", "fact": "width_px", "is": 1},
            ".fact: 'width_px' is not allowed; write name, size, content_type or metadata.<key>",
        ),
        ({"step": "a", "fact": "n"}, ": has no test; write one of is, in, min, max, or min and max"),
        ({"step": "a", "fact": "n", "is": 1, "in": [1]}, ": has in and is; write one of is, in, min, max, or min and max"),
        ({"step": "a", "fact": "n", "is": 1, "max": 1}, ": has is and max; write one of is, in, min, max, or min and max"),
        ({"step": "a", "fact": "n", "min": 2, "max": 1}, ".min: 2 is not allowed; write at most 1, which is max"),
        ({"step": "a", "fact": "n", "min": "2"}, ".min: '2' is not allowed; write a number"),
        ({"step": "a", "fact": "n", "max": math.inf}, ".max: inf is not allowed; write a number"),
        ({"step": "a", "fact": "n", "max": True}, ".max: True is not allowed; write a number"),
        ({"step": "a", "fact": "n", "is": [1]}, ".is: [1] is not allowed; write text, a number, true or false"),
        ({"step": "a", "fact": "n", "in": []}, ".in: [] is not allowed; list texts, numbers, true or false"),
        ({"step": "a", "fact": "n", "in": [[1]]}, ".in: [[1]] is not allowed; list texts, numbers, true or false"),
        ({"step": "a", "fact": "n", "is": 1, "not": 1}, ".not: unknown key; the keys here are step, fact, is, in, min, max"),
    ],
)
def test_a_wrong_condition_is_named(when: Any, message: str) -> None:
    steps = {"a0": {}, "a": {"after": ["a0"]}, "b": {"after": ["a"], "when": when}, "c": {}}

    assert fault(steps) == f"steps.b.when{message}"


@pytest.mark.parametrize("step", ["a", "a0", "file"])
def test_a_condition_may_name_any_step_before_and_the_file(step: str) -> None:
    when = {"step": step, "fact": "metadata.tier", "is": "gold"}

    assert routes.check(table({"a0": {}, "a": {"after": ["a0"]}, "b": {"after": ["a"], "when": when}}))


def test_no_step_may_be_named_file() -> None:
    assert fault({"file": {}}) == "steps.file: stands for the file itself in `when`; rename the step"


RENDITIONS = ", ".join(processors.find("image.renditions").check({}))


@pytest.mark.parametrize(
    ("processor", "value", "message"),
    [
        (
            "image.renditions",
            ["size"],
            f"'size' is not allowed; list some of {RENDITIONS}",
        ),
        ("image.renditions", "sizes", "'sizes' is not allowed; list names of its options"),
        ("image.renditions", [{}], "[{}] is not allowed; list names of its options"),
        ("any.digest", ["sizes"], "'sizes' is not allowed; leave it out: any.digest has no options"),
    ],
)
def test_only_options_of_the_processor_can_be_set_per_file(processor: str, value: Any, message: str) -> None:
    assert fault({"a": {"processor": processor, "per_file": value}}) == f"steps.a.per_file: {message}"
