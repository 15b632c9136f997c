"""Routes match files by content type and name, and plan one task for each step."""

import pytest

from shared import routes
from shared.model import File, Task
from shared.routes import Route, Routes
from shared.settings import ROOT
from tests.conftest import PIPELINE
from tests.unit.pipelines import QUEUE, ROUTE, STEP, WHOLE


def test_the_shipped_pipeline_loads() -> None:
    assert routes.load(ROOT / "pipeline.toml").routes


def test_the_tests_pipeline_sends_only_pictures_to_thumbnails() -> None:
    loaded = routes.load(PIPELINE)

    assert "thumbnails" in [step.recipe.step for step in loaded.steps_for("image/jpeg", "cat.jpg")]
    assert "thumbnails" not in [step.recipe.step for step in loaded.steps_for("application/x-anything", "cat")]


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
        ("*/*", "nonsense", False),
    ],
)
def test_content_types_are_matched_whole_and_without_their_parameters(pattern: str, content_type: str, matches: bool) -> None:
    assert Route(pattern, "**", ("s",)).matches(content_type, "cat.jpg") is matches


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
    assert Route("*/*", pattern, ("s",)).matches("image/png", name) is matches


# ---- planning


@pytest.fixture
def two_steps() -> Routes:
    digest = '\n[steps.digest]\nprocessor = "any.digest"\nqueue = "images"\n'
    twice = ROUTE + ROUTE.replace('["thumbnails"]', '["thumbnails", "digest"]').replace('"**"', '"**.jpg"')
    return routes.parse(QUEUE + STEP + digest + twice)


def test_a_step_of_several_routes_is_done_once(two_steps: Routes) -> None:
    tasks = two_steps.plan(File("uploads", "a/cat.jpg", 7, 1, "image/jpeg", ""))

    assert [task.recipe.step for task in tasks] == ["digest", "thumbnails"]


def test_every_task_carries_its_siblings_its_queue_and_its_attempts(two_steps: Routes) -> None:
    file = File("uploads", "cat.jpg", 7, 1, "image/jpeg", "")

    tasks = two_steps.plan(file)

    siblings = tuple(sorted(task.recipe.recipe_id for task in tasks))
    assert tasks == [Task(file, task.recipe, "images", 5, siblings) for task in tasks]


def test_a_file_without_a_route_has_no_tasks(two_steps: Routes) -> None:
    assert two_steps.plan(File("uploads", "song.mp3", 7, 1, "audio/mpeg", "")) == []


def test_a_recipe_is_exact_so_defaults_are_part_of_it(two_steps: Routes) -> None:
    spelled_out = routes.parse(WHOLE.replace('["webp"] }', '["webp"], quality = 80 }'))

    assert spelled_out.steps["thumbnails"].recipe.recipe_id == two_steps.steps["thumbnails"].recipe.recipe_id
    assert two_steps.steps["thumbnails"].recipe.options["quality"] == 80


def test_a_refusal_lists_the_accepted_types_once_and_in_order() -> None:
    loaded = routes.parse(WHOLE + ROUTE + ROUTE.replace("image/*", "application/pdf"))

    assert loaded.why_not("audio/mpeg", "song.mp3") == "no route takes audio/mpeg; accepted: application/pdf, image/*"
    assert loaded.why_not("image/png", "cat.png") == ""
