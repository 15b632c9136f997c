"""Routes match files by content type, name, metadata and size, and plan their steps in order."""

from dataclasses import replace
from typing import Any

import pytest

from shared import routes
from shared.model import File
from shared.plan import Plan
from shared.routes import Route, Routes
from tests.conftest import PIPELINE
from tests.unit.pipelines import QUEUE, ROUTE, STEP, WHOLE, table


def file(content_type: str = "image/jpeg", name: str = "cat.jpg", size: int = 1, **metadata: str) -> File:
    return File("uploads", name, 7, size, content_type, "", {key.replace("_", "-"): value for key, value in metadata.items()})


def names(plan: Plan) -> list[str]:
    return [step.name for step in plan.steps]


def test_the_tests_pipeline_sends_only_pictures_to_thumbnails() -> None:
    loaded = routes.load(PIPELINE)

    assert "thumbnails" in names(loaded.plan(file("image/jpeg")))
    assert "thumbnails" not in names(loaded.plan(file("application/x-anything")))


# ---- matching


@pytest.mark.parametrize(
    ("pattern", "content_type", "matches"),
    [
        ("image/*", "image/jpeg", True),
        ("image/*", "IMAGE/JPEG; q=1", True),
        ("image/*", " image/svg+xml ", True),
        ("image/*", "image/jpeg/extra", False),
        ("image/*", "video/mp4", False),
        ("image/*", "", False),
        ("image/jpeg", "image/jpeg", True),
        ("image/jpeg", "image/jpeg2000", False),
        ("image/x.y", "image/xxy", False),
        ("application/octet-stream", "", True),
        ("*/*", "", True),
        ("*/*", "application/vnd.own+json", True),
        ("*/*", "nonsense", True),
    ],
)
def test_content_types_are_matched_whole_and_without_their_parameters(pattern: str, content_type: str, matches: bool) -> None:
    assert (Routes({}, {}, {}, (Route((pattern,), ("**",), ("s",)),)).why_not(content_type, "cat.jpg") == "") is matches


@pytest.mark.parametrize(
    ("content_type", "refusal"),
    [
        ("image/png", ""),
        ("image/JPEG", ""),
        ("image/gif", "no route takes image/gif; accepted: image/jpeg, image/png"),
    ],
)
def test_a_route_may_list_content_types(content_type: str, refusal: str) -> None:
    loaded = Routes({}, {}, {}, (Route(("image/png", "image/jpeg"), ("**",), ("s",)),))

    assert loaded.why_not(content_type, "cat.jpg") == refusal


@pytest.mark.parametrize(
    ("pattern", "name", "matches"),
    [
        ("**", "", True),
        ("**", "a/b/c.jpg", True),
        ("**", "two\nlines\r\n", True),
        ("**", "\0\u2028😀/../..", True),
        ("*", "cat.jpg", True),
        ("*", "a/cat.jpg", False),
        ("*.jpg", "cat.jpg", True),
        ("*.jpg", "catxjpg", False),
        ("*.jpg", "cat.jpg\n", False),
        ("*.jpg", "cat.JPG", False),
        ("?at.jpg", "cat.jpg", True),
        ("?at.jpg", "/at.jpg", False),
        ("invoices/*.pdf", "invoices/7.pdf", True),
        ("invoices/*.pdf", "invoices/2026/7.pdf", False),
        ("invoices/**.pdf", "invoices/2026/7.pdf", True),
        ("invoices/**", "invoices", False),
        ("**/*.pdf", "a/b/c.pdf", True),
        ("a**b", "ab", True),
        ("***", "a/b", True),
        ("(a|b)+", "(a|b)+", True),
        ("(a|b)+", "ab", False),
        ("[ab].$^\\d", "[ab].$^\\d", True),
        ("[ab]", "a", False),
        ("e\u0301", "\u00e9", False),
    ],
)
def test_names_are_matched_whole_and_only_stars_and_question_marks_are_special(pattern: str, name: str, matches: bool) -> None:
    assert (Routes({}, {}, {}, (Route(("*/*",), (pattern,), ("s",)),)).why_not("image/png", name) == "") is matches


# ---- planning


@pytest.fixture
def two_steps() -> Routes:
    digest = '\n[steps.digest]\nprocessor = "any.digest"\nqueue = "images"\n'
    twice = ROUTE + ROUTE.replace('["thumbnails"]', '["thumbnails", "digest"]').replace('"**"', '"**.jpg"')
    return routes.parse(QUEUE + STEP + digest + twice)


def test_a_step_of_several_routes_is_done_once(two_steps: Routes) -> None:
    assert names(two_steps.plan(file(name="a/cat.jpg"))) == ["digest", "thumbnails"]


def test_a_planned_step_carries_its_queue_and_its_attempts(two_steps: Routes) -> None:
    plan = two_steps.plan(file())

    assert [(step.queue, step.attempts) for step in plan.steps] == [("images", 5)] * 2


def test_a_file_without_a_route_has_an_empty_plan(two_steps: Routes) -> None:
    assert two_steps.plan(file("audio/mpeg")) == Plan()


def test_a_recipe_is_exact_so_defaults_are_part_of_it(two_steps: Routes) -> None:
    spelled_out = routes.parse(WHOLE.replace('["webp"] }', '["webp"], quality = 80 }'))

    assert spelled_out.steps["thumbnails"].recipe.recipe_id == two_steps.steps["thumbnails"].recipe.recipe_id
    assert two_steps.steps["thumbnails"].recipe.options["quality"] == 80


def test_files_of_the_same_routes_share_one_plan(two_steps: Routes) -> None:
    """Its ids and tasks are worked out once."""
    assert two_steps.plan(file(name="a.jpg")) is two_steps.plan(file(name="b.jpg", size=5, colour="red"))


# ---- order


def test_a_route_brings_in_all_that_its_steps_come_after() -> None:
    loaded = routes.check(table({"c": {"after": ["b"]}, "b": {"after": ["a"]}, "a": {}, "other": {}}, {"steps": ["c"]}))

    assert names(loaded.plan(file())) == ["a", "b", "c"]


def test_steps_are_listed_after_those_before_them_and_else_by_name() -> None:
    loaded = routes.check(table({"a": {"after": ["z"]}, "d": {"after": ["b"]}, "c": {"after": ["b"]}, "b": {}, "z": {}}))

    assert names(loaded.plan(file())) == ["b", "z", "a", "c", "d"]


def test_a_step_with_another_input_has_another_recipe() -> None:
    plain = table({"a": {}, "b": {"after": ["a"]}})
    from_a = table({"a": {}, "b": {"after": ["a"], "input": "a/256.webp"}})
    from_another = table({"a": {"options": {"quality": 5}}, "b": {"after": ["a"], "input": "a/256.webp"}})

    recipe_ids = {routes.check(one).plan(file()).by_name["b"].recipe.recipe_id for one in (plain, from_a, from_another)}
    assert len(recipe_ids) == 3


def test_a_recipe_names_the_recipe_of_its_input() -> None:
    plan = routes.check(table({"z": {}, "b": {"after": ["z"], "input": "z/256.webp"}})).plan(file())

    assert plan.by_name["b"].recipe.input == "z/256.webp"
    assert plan.by_name["b"].recipe.made_by == plan.by_name["z"].recipe.recipe_id


def test_a_condition_comes_into_the_plan() -> None:
    when = {"step": "a", "fact": "page.count", "min": 1, "max": 9}

    condition = routes.check(table({"a": {}, "b": {"after": ["a"], "when": when}})).plan(file()).by_name["b"].when
    assert condition
    assert condition.to_json() == when


# ---- the other keys of a route


@pytest.mark.parametrize(
    ("metadata", "planned"), [({}, []), ({"tier": "gold"}, ["a"]), ({"tier": "tin"}, []), ({"Tier": "gold"}, [])]
)
def test_a_route_may_ask_for_metadata(metadata: dict[str, str], planned: list[str]) -> None:
    loaded = routes.check(table({"a": {}}, {"steps": ["a"], "metadata": {"tier": "gold"}}))

    assert names(loaded.plan(replace(file(), metadata=metadata))) == planned


@pytest.mark.parametrize(("size", "planned"), [(0, ["a"]), (1000, ["a"]), (1001, [])])
def test_a_route_may_limit_the_size(size: int, planned: list[str]) -> None:
    loaded = routes.check(table({"a": {}}, {"steps": ["a"], "max_bytes": 1000}))

    assert names(loaded.plan(file(size=size))) == planned


def test_the_queue_of_a_route_replaces_that_of_its_steps_and_of_those_before() -> None:
    steps = {"a": {}, "b": {"after": ["a"]}, "c": {}}
    loaded = routes.check(table(steps, {"steps": ["b"], "queue": "slow"}, {"steps": ["a", "c"]}))

    planned = {step.name: (step.queue, step.attempts) for step in loaded.plan(file()).steps}
    assert planned == {"a": ("slow", 2), "b": ("slow", 2), "c": ("images", 5)}


@pytest.mark.parametrize("queues", [("slow", "images"), ("images", "slow")])
def test_of_several_routes_queues_the_alphabetically_first_wins(queues: tuple[str, str]) -> None:
    both = [{"steps": ["a"], "queue": queue} for queue in queues]
    loaded = routes.check(table({"a": {"queue": "slow"}}, *both, {"steps": ["a"]}))

    assert [step.queue for step in loaded.plan(file()).steps] == ["images"]


@pytest.mark.parametrize(
    ("asked", "planned"),
    [("", []), ("b", ["a", "b"]), (" c ,, b,c", ["a", "c", "b"]), ("B", []), ("a", []), ("b;c", [])],
)
def test_an_on_request_route_gives_only_the_steps_that_a_file_asks_for(asked: str, planned: list[str]) -> None:
    loaded = routes.check(table({"a": {}, "b": {"after": ["a"]}, "c": {}}, {"steps": ["b", "c"], "on_request": True}))

    assert names(loaded.plan(file(sluice_steps=asked))) == planned


def test_files_that_ask_one_route_for_different_steps_have_different_plans() -> None:
    loaded = routes.check(table({"a": {}, "b": {}}, {"steps": ["a", "b"], "on_request": True}))

    plans = [names(loaded.plan(file(sluice_steps=asked))) for asked in ("a", "b", "a")]

    assert plans == [["a"], ["b"], ["a"]]


# ---- why not


def test_a_refusal_lists_the_accepted_types_once_and_in_order() -> None:
    loaded = routes.parse(WHOLE + ROUTE + ROUTE.replace("image/*", "application/pdf"))

    assert loaded.why_not("audio/mpeg", "song.mp3") == "no route takes audio/mpeg; accepted: application/pdf, image/*"
    assert loaded.why_not("image/png", "cat.png") == ""


@pytest.mark.parametrize(
    ("route", "reason"),
    [
        ({"name": "in/**"}, "no route takes image/png under this name; accepted: in/**"),
        ({"metadata": {"tier": "gold"}}, "no route takes image/png with this metadata; routes read the keys tier"),
        ({"max_bytes": 9}, "no route takes image/png of this size; accepted: at most 9 bytes"),
        (
            {"on_request": True},
            "no route takes image/png unless it asks for steps; name some in the metadata key sluice-steps: a",
        ),
    ],
)
def test_a_refusal_names_what_the_nearest_route_lacks(route: dict[str, Any], reason: str) -> None:
    loaded = routes.check(table({"a": {}}, {"steps": ["a"], "content_type": "audio/*"}, {"steps": ["a"], **route}))

    assert loaded.why_not("image/png", "cat.png", {"sluice-steps": "b"}, 10) == reason


def test_a_refusal_of_the_size_names_the_largest_limit() -> None:
    loaded = routes.check(table({"a": {}}, *({"steps": ["a"], "max_bytes": limit} for limit in (5, 9, 7))))

    assert loaded.why_not("image/png", "cat.png", {}, 10).endswith("accepted: at most 9 bytes")


def test_a_file_of_unknown_size_is_not_refused_for_it() -> None:
    loaded = routes.check(table({"a": {}}, {"steps": ["a"], "max_bytes": 9}))

    assert loaded.why_not("image/png", "cat.png") == ""
