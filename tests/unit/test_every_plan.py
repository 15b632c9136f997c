"""Every plan is complete and in order: drawn pipelines and files, beside a plainer way to find the steps."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from shared import routes
from shared.model import File, canonical
from shared.plan import Plan
from tests.unit.pipelines import table

NAMES = "abcdefgh"
QUEUES = st.sampled_from(["images", "slow"])
PICTURE = File("uploads", "cat.jpg", 7, 1, "image/jpeg", "")


@st.composite
def pipelines(draw: st.DrawFn) -> dict[str, Any]:
    """A pipeline whose steps come after any of those drawn before them; their names are in any order."""
    names = draw(st.permutations(NAMES))[: draw(st.integers(1, len(NAMES)))]
    steps: dict[str, Any] = {}
    for name in names:
        after: list[str] = draw(st.lists(st.sampled_from(sorted(steps)), unique=True)) if steps else []
        steps[name] = {"queue": draw(QUEUES), "after": after, "per_file": draw(st.sampled_from([[], ["quality"]]))}
        if draw(st.booleans()) and after:
            steps[name]["input"] = f"{draw(st.sampled_from(after))}/256.webp"
    route = st.fixed_dictionaries(
        {"steps": st.lists(st.sampled_from(sorted(names)), min_size=1)}, optional={"queue": QUEUES, "on_request": st.booleans()}
    )
    return table(steps, *draw(st.lists(route, min_size=1, max_size=4)))


def needed(pipeline: dict[str, Any], asked: set[str]) -> set[str]:
    """The steps of the matching routes, and all that they come after."""
    names: set[str] = set()
    for route in pipeline["routes"]:
        names |= {name for name in route["steps"] if name in asked or not route.get("on_request")}
    while more := {before for name in names for before in pipeline["steps"][name]["after"]} - names:
        names |= more
    return names


@settings(max_examples=50)
@given(pipelines(), st.sets(st.sampled_from(NAMES)))
def test_a_plan_has_the_steps_of_its_routes_and_all_before_them_in_order(pipeline: dict[str, Any], asked: set[str]) -> None:
    loaded, file = routes.check(pipeline), with_metadata({"sluice-steps": ",".join(asked)})
    plan = loaded.plan(file)

    names = [step.name for step in plan.steps]
    assert sorted(names) == sorted(needed(pipeline, asked))
    assert all(names.index(before) < names.index(step.name) for step in plan.steps for before in step.after)
    assert {step.name: list(step.after) for step in plan.steps} == {name: pipeline["steps"][name]["after"] for name in names}
    assert bool(names) == (loaded.why_not(file.content_type, file.name, file.metadata, file.size) == "")


@settings(max_examples=50)
@given(pipelines(), st.sets(st.sampled_from(NAMES)))
def test_only_a_route_moves_a_step_to_another_queue(pipeline: dict[str, Any], asked: set[str]) -> None:
    plan = routes.check(pipeline).plan(with_metadata({"sluice-steps": ",".join(asked)}))

    by_route: dict[str, set[str]] = {name: set() for name in NAMES}
    for route in pipeline["routes"]:
        for name in needed({**pipeline, "routes": [route]}, asked) if "queue" in route else ():
            by_route[name].add(route["queue"])
    own = {name: step["queue"] for name, step in pipeline["steps"].items()}
    assert {step.name: step.queue for step in plan.steps} == {
        step.name: min(by_route[step.name], default=own[step.name]) for step in plan.steps
    }


@settings(max_examples=50)
@given(pipelines(), st.dictionaries(st.sampled_from(NAMES), st.sampled_from(["5", "0", "80", "many"])))
def test_recipes_follow_the_options_of_a_file_and_of_what_they_are_made_from(
    pipeline: dict[str, Any], qualities: dict[str, str]
) -> None:
    loaded = routes.check(pipeline)
    usual = loaded.plan(with_metadata({"sluice-steps": ",".join(NAMES)}))
    changed = loaded.plan(
        with_metadata({f"sluice-{name}-quality": text for name, text in qualities.items()} | {"sluice-steps": ",".join(NAMES)})
    )

    others: set[str] = set()
    for name, step in changed.by_name.items():
        is_open, text = bool(pipeline["steps"][name]["per_file"]), qualities.get(name)
        assert bool(step.fault) == (is_open and text in ("0", "many"))
        if (is_open and text == "5") or step.recipe.input.partition("/")[0] in others:
            others.add(name)
        assert (step.recipe.recipe_id != usual.by_name[name].recipe.recipe_id) == (name in others)
        assert step.recipe.made_by == (changed.by_name[step.recipe.input[0]].recipe.recipe_id if step.recipe.input else "")


STEPS = {"a": {"per_file": ["sizes", "quality"]}, "b": {"after": ["a"], "input": "a/256.webp"}}
LOADED = routes.check(table(STEPS))
PARTS = st.sampled_from(["sluice-", "a", "b", "-", "steps", "sizes", "quality", "[", ",", "5", "é\udcff\0"]) | st.text()
TEXT = st.lists(PARTS, max_size=5).map("".join)


@given(st.dictionaries(TEXT | st.just("sluice-a-sizes"), TEXT))
def test_any_metadata_gives_a_plan_that_survives_json(metadata: dict[str, str]) -> None:
    plan = LOADED.plan(with_metadata(metadata))

    assert Plan.from_json(json.loads(canonical(plan.to_json()))) == plan


def with_metadata(metadata: dict[str, str]) -> File:
    return File(PICTURE.bucket, PICTURE.name, 7, 1, PICTURE.content_type, "", metadata)
