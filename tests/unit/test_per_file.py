"""Options that the metadata of a file sets: `sluice-<step>-<option>`."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from shared import routes
from shared.errors import BadConfiguration
from shared.model import File, canonical
from shared.plan import Plan
from shared.processors.registry import Processor, registered
from shared.routes import Routes, per_file
from tests.unit.pipelines import table

STEPS = {
    "small": {"options": {"sizes": [256]}, "per_file": ["sizes", "formats", "quality"]},
    "small-grey": {"options": {"sizes": [128]}, "per_file": ["quality"]},
    "from-small": {"after": ["small"], "input": "small/256.webp"},
    "other": {},
}
LOADED = routes.check(table(STEPS, {"steps": ["small", "small-grey", "from-small"]}, {"steps": ["other"], "on_request": True}))


def picture(metadata: dict[str, str]) -> File:
    return File("uploads", "cat.jpg", 7, 1, "image/jpeg", "", metadata)


def plan(metadata: dict[str, str]) -> Plan:
    return LOADED.plan(picture(metadata))


USUAL = plan({})


@pytest.mark.parametrize(
    ("option", "text", "value"),
    [
        ("sizes", "512,256", [512, 256]),
        ("sizes", " 512 , 256 ", [512, 256]),
        ("sizes", "512", [512]),
        ("sizes", "[512, 256]", [512, 256]),
        ("formats", "png", ["png"]),
        ("formats", '"png"', ["png"]),
        ("formats", "png,jpeg", ["png", "jpeg"]),
        ("formats", "png , jpeg", ["png", "jpeg"]),
        ("quality", "40", 40),
        ("quality", " 40 ", 40),
    ],
)
def test_metadata_sets_an_option_of_this_file(option: str, text: str, value: Any) -> None:
    step = plan({f"sluice-small-{option}": text}).by_name["small"]

    assert step.recipe.options == {**USUAL.by_name["small"].recipe.options, option: value}
    assert step.recipe.recipe_id != USUAL.by_name["small"].recipe.recipe_id
    assert step.fault == ""


def test_other_options_give_another_recipe_to_the_step_and_to_what_is_made_from_it_and_to_no_other() -> None:
    changed = plan({"sluice-small-quality": "40"}).by_name

    other = [name for name in changed if changed[name].recipe.recipe_id != USUAL.by_name[name].recipe.recipe_id]
    assert other == ["small", "from-small"]
    assert changed["from-small"].recipe.made_by == changed["small"].recipe.recipe_id


def test_the_configured_value_gives_the_configured_recipe() -> None:
    assert plan({"sluice-small-sizes": "256"}) == USUAL


@pytest.mark.parametrize(
    ("option", "text", "fault"),
    [
        ("sizes", "0", 'sluice-small-sizes: [0]; list edges in pixels, each from 1 to 16383, or boxes such as "400x300"'),
        (
            "sizes",
            "huge",
            "sluice-small-sizes: ['huge']; list edges in pixels, each from 1 to 16383, or boxes such as \"400x300\"",
        ),
        ("sizes", "", "sluice-small-sizes: ['']; list edges in pixels, each from 1 to 16383, or boxes such as \"400x300\""),
        ("formats", "heic", "sluice-small-formats: ['heic']; list some of webp, avif, png, jpeg"),
        (
            "quality",
            "40,50",
            "sluice-small-quality: '40,50'; write a whole number from 1 to 100, or a table such as { webp = 80 }",
        ),
        ("quality", "1e999", "sluice-small-quality: inf; write a whole number from 1 to 100, or a table such as { webp = 80 }"),
        ("quality", "NaN", "sluice-small-quality: nan; write a whole number from 1 to 100, or a table such as { webp = 80 }"),
        ("quality", "null", "sluice-small-quality: None; write a whole number from 1 to 100, or a table such as { webp = 80 }"),
    ],
)
def test_a_wrong_value_is_a_fault_of_this_step_under_its_configured_recipe(option: str, text: str, fault: str) -> None:
    refused = plan({f"sluice-small-{option}": text})

    assert refused.by_name["small"].fault == fault
    assert [step.recipe for step in refused.steps] == [step.recipe for step in USUAL.steps]
    assert [step.name for step in refused.steps if step.fault] == ["small"]


@pytest.mark.parametrize("text", ["9" * 5000, "[" * 5000, "\\ud800", '"\\ud800"', "\udcff", "é\n\0" * 300])
def test_an_absurd_value_is_a_short_fault(text: str) -> None:
    refused = plan({"sluice-small-quality": text})

    assert 0 < len(refused.by_name["small"].fault) <= 300
    assert Plan.from_json(refused.to_json()) == refused


@dataclass(frozen=True)
class Stamp:
    """Options of a processor that takes text, and refuses a date with an exception of its own."""

    label: str = "draft"
    year: int = 2026
    max_lines: int = 3

    def __post_init__(self) -> None:
        datetime(self.year, 1, 1, tzinfo=UTC)


@pytest.fixture
def stamped() -> Iterator[Routes]:
    registered["test.stamp"] = Processor("test.stamp", 1, Stamp, lambda *_: ())
    stamp = {"processor": "test.stamp", "per_file": ["label", "year", "max_lines"]}
    yield routes.check(table({"stamp": stamp}, {"steps": ["stamp"]}))
    del registered["test.stamp"]


@pytest.mark.parametrize(
    ("text", "value"), [("final", "final"), ("2024", "2024"), ("a,b", "a,b"), ('"2024"', "2024"), ("", "")]
)
def test_a_value_for_an_option_of_text_is_text(stamped: Routes, text: str, value: str) -> None:
    planned = stamped.plan(picture({"sluice-stamp-label": text}))

    assert planned.by_name["stamp"].recipe.options["label"] == value


@pytest.mark.parametrize("key", ["sluice-stamp-max-lines", "sluice-stamp-max_lines"])
def test_a_hyphen_in_an_option_stands_for_an_underscore(stamped: Routes, key: str) -> None:
    assert stamped.plan(picture({key: "7"})).by_name["stamp"].recipe.options["max_lines"] == 7


def test_an_exception_of_a_check_stays_inside(stamped: Routes) -> None:
    planned = stamped.plan(picture({"sluice-stamp-year": "soon", "sluice-stamp-label": "x"}))

    keys = "sluice-stamp-label, sluice-stamp-year"
    fault = f"{keys}: test.stamp refuses this value; write one of the same type as in pipeline.toml"
    assert planned.by_name["stamp"].fault == fault


@pytest.mark.usefixtures("stamped")
def test_an_exception_of_a_check_is_the_cause_of_the_refusal_at_start_up() -> None:
    """Its author sees the place in the log of the service that does not start."""
    with pytest.raises(BadConfiguration, match=r"^steps\.stamp\.options: test\.stamp refuses them: TypeError") as refused:
        routes.check(table({"stamp": {"processor": "test.stamp", "options": {"year": "soon"}}}))

    assert isinstance(refused.value.__cause__, TypeError)


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        ("sluice-tiny-sizes", "no step has this name; the steps of this file are small, small-grey, from-small"),
        ("sluice-", "no step has this name; the steps of this file are small, small-grey, from-small"),
        ("sluice-small", "no step has this name; the steps of this file are small, small-grey, from-small"),
        ("sluice-other-sizes", "other is not a step of this file"),
        ("sluice-small-size", "of small, a file may set sizes, formats, quality"),
        ("sluice-small-", "of small, a file may set sizes, formats, quality"),
        ("sluice-small-grey-sizes", "of small-grey, a file may set quality"),
        ("sluice-from-small-sizes", "of from-small, a file may set no option"),
    ],
)
def test_a_key_without_effect_is_named(key: str, reason: str) -> None:
    assert plan({key: "5"}) == Plan(USUAL.steps, (f"{key}: {reason}",))


def test_the_longest_step_name_that_fits_is_meant() -> None:
    assert plan({"sluice-small-grey-quality": "5"}).by_name["small-grey"].recipe.options["quality"] == 5


def test_steps_that_a_file_asks_for_in_vain_are_named_once() -> None:
    asked = plan({"sluice-steps": "pagez, small, other, pagez"})

    assert asked.ignored == (
        "sluice-steps: pagez is not a step on request for this file",
        "sluice-steps: small is not a step on request for this file",
    )
    assert "other" in asked.by_name


@pytest.mark.parametrize("key", ["sluice-hops", "sluice-parent", "colour", "sluic", "Sluice-small-quality"])
def test_our_own_keys_and_those_of_others_have_no_effect(key: str) -> None:
    assert plan({key: "5"}) == USUAL
    assert plan({key: "5", "sluice-small-quality": "80"}) == USUAL


def test_a_plan_repeats_little_of_hostile_metadata() -> None:
    """8 KiB is Cloud Storage's limit for all metadata of an object."""
    asked = plan({"sluice-steps": ",".join(f"x{number}" for number in range(1300)), f"sluice-{'y' * 1000}": ""})

    assert asked.ignored[-1] == "and 1281 more"
    assert len(canonical(asked.to_json())) < len(canonical(USUAL.to_json())) + 6000


def test_metadata_without_effect_are_left_out() -> None:
    given = {"sluice-small-quality": "7", "sluice-small-avif": "1", "sluice-other-x": "1", "sluice-steps": "other, small,none"}
    given |= {"sluice-small-grey-quality": "8", "sluice-parent": "job", "order": "4711"}
    kept = per_file.effective(given, plan(given), LOADED.steps)

    assert kept == {
        "sluice-small-quality": "7",
        "sluice-small-grey-quality": "8",
        "sluice-steps": "other,small",
        "sluice-parent": "job",
        "order": "4711",
    }
    assert plan(dict(kept)).steps == plan(given).steps


def test_steps_that_a_file_does_not_take_are_left_out_of_its_request() -> None:
    assert per_file.effective({"sluice-steps": "none"}, USUAL, LOADED.steps) == {}


def test_the_keys_of_a_pipeline_are_header_names() -> None:
    assert per_file.keys(LOADED.steps) == [
        "sluice-steps",
        "sluice-small-sizes",
        "sluice-small-formats",
        "sluice-small-quality",
        "sluice-small-grey-quality",
    ]
    assert per_file.key("small", "keep_icc") == "sluice-small-keep-icc"
