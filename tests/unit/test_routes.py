"""pipeline.toml: whoever reads an error knows which key to change, and to what."""

from pathlib import Path
from typing import Any

import pytest

from shared import routes
from shared.errors import BadConfiguration
from shared.model import File, Task
from shared.routes import Route, Routes
from shared.settings import ROOT

QUEUE = """
[queues.images]
max_dispatches_per_second = 50
max_concurrent_dispatches = 20
attempts = 5
min_backoff_seconds = 1
max_backoff_seconds = 300
"""
STEP = """
[steps.thumbnails]
processor = "image.renditions"
queue = "images"
options = { sizes = [256], formats = ["webp"] }
"""
ROUTE = """
[[routes]]
content_type = "image/*"
name = "**"
steps = ["thumbnails"]
"""
WHOLE = QUEUE + STEP + ROUTE


def refusal(text: str) -> str:
    with pytest.raises(BadConfiguration) as refused:
        routes.parse(text)
    return refused.value.message


def queue(key: str, value: Any) -> str:
    lines = [line for line in QUEUE.splitlines() if not line.startswith(f"{key} ")]
    return "\n".join([*lines, *([f"{key} = {value}"] if value is not None else [])]) + STEP + ROUTE


def test_the_shipped_pipeline_is_right() -> None:
    shipped = routes.load(ROOT / "pipeline.toml")

    assert "thumbnails" in [step.recipe.step for step in shipped.steps_for("image/jpeg", "cat.jpg")]
    assert "thumbnails" not in [step.recipe.step for step in shipped.steps_for("application/x-anything", "cat")]


# ---- what is wrong, and what would be right


@pytest.mark.parametrize("table", ["queues", "steps", "routes"])
def test_a_table_that_is_missing_is_named_with_how_to_write_it(table: str) -> None:
    without = {"queues": STEP + ROUTE, "steps": QUEUE + ROUTE, "routes": QUEUE + STEP}[table]

    message = refusal(without)
    assert message.startswith(f"{table}: there is none; write ")
    assert f"[{table}" in message


@pytest.mark.parametrize("text", ["", "queues = 5", "queues = []", "[queues]"])
def test_a_table_that_is_none_is_named(text: str) -> None:
    assert refusal(text).startswith("queues: there is none")


@pytest.mark.parametrize("value", ["5", "{}", "[]", '"image/*"'])
def test_routes_that_are_no_list_are_named(value: str) -> None:
    assert refusal(f"routes = {value}\n" + QUEUE + STEP).startswith("routes: there is none; write [[routes]]")


@pytest.mark.parametrize(
    ("text", "start", "known"),
    [
        ("[sinks]\n" + WHOLE, "sinks: unknown", "queues, steps, routes"),
        (QUEUE + "rate = 5\n" + STEP + ROUTE, "queues.images.rate: unknown", "max_dispatches_per_second"),
        (QUEUE + STEP + "retries = 5\n" + ROUTE, "steps.thumbnails.retries: unknown", "processor, queue, options"),
        (WHOLE + "size = 5\n", "routes[1].size: unknown", "content_type, name, steps"),
        (WHOLE + ROUTE + "size = 5\n", "routes[2].size: unknown", "content_type, name, steps"),
    ],
)
def test_an_unknown_key_is_named_with_those_that_are_known(text: str, start: str, known: str) -> None:
    message = refusal(text)

    assert message.startswith(start)
    assert known in message


@pytest.mark.parametrize(
    "key",
    ["max_dispatches_per_second", "max_concurrent_dispatches", "attempts", "min_backoff_seconds", "max_backoff_seconds"],
)
def test_a_queue_needs_every_one_of_its_numbers(key: str) -> None:
    assert refusal(queue(key, None)) == f"queues.images.{key}: is missing"


@pytest.mark.parametrize(
    ("key", "value", "right"),
    [
        ("max_dispatches_per_second", "0", "a number from 0.001 to 500"),
        ("max_dispatches_per_second", "501", "a number from 0.001 to 500"),
        ("max_dispatches_per_second", "nan", "a number from 0.001 to 500"),
        ("max_dispatches_per_second", "inf", "a number from 0.001 to 500"),
        ("max_dispatches_per_second", "true", "a number from 0.001 to 500"),
        ("max_dispatches_per_second", '"fast"', "a number from 0.001 to 500"),
        ("max_concurrent_dispatches", "1.5", "a whole number from 1 to 5000"),
        ("max_concurrent_dispatches", "5001", "a whole number from 1 to 5000"),
        ("attempts", "0", "a whole number from 1 to 99"),
        ("attempts", "-1", "a whole number from 1 to 99"),
        ("attempts", "100", "a whole number from 1 to 99"),
        ("min_backoff_seconds", "0", "a number from 0.1 to 3600"),
        ("max_backoff_seconds", "[1]", "a number from 0.1 to 3600"),
    ],
)
def test_a_number_out_of_range_is_named_with_its_range(key: str, value: str, right: str) -> None:
    message = refusal(queue(key, value))

    assert message.startswith(f"queues.images.{key}: ")
    assert message.endswith(f"it takes {right}")


def test_back_off_cannot_begin_above_its_end() -> None:
    message = refusal(queue("min_backoff_seconds", "301"))

    assert message == "queues.images: min_backoff_seconds is larger than max_backoff_seconds"


@pytest.mark.parametrize("name", ["Images", "my_images", "1st", "a.b", "", "ä", "q" * 42, "a\\n"])
@pytest.mark.parametrize("table", ["queues", "steps"])
def test_a_name_is_refused_unless_google_takes_it_everywhere(table: str, name: str) -> None:
    text = {
        "queues": QUEUE.replace("queues.images", f'queues."{name}"') + STEP,
        "steps": QUEUE + STEP.replace("thumbnails", f'"{name}"'),
    }

    message = refusal(text[table] + ROUTE)
    assert message.startswith(f"{table}.")
    assert "a name takes lower-case letters, digits and hyphens" in message


@pytest.mark.parametrize("value", ['"other"', "5", '["images"]', "{}"])
def test_a_step_names_a_queue_that_exists(value: str) -> None:
    message = refusal(QUEUE + STEP.replace('queue = "images"', f"queue = {value}") + ROUTE)

    assert message.startswith("steps.thumbnails.queue: ")
    assert message.endswith("there is images")


def test_a_step_without_a_queue_is_told_so() -> None:
    assert refusal(QUEUE + STEP.replace('queue = "images"', "") + ROUTE).startswith(
        "steps.thumbnails.queue: None is not a queue"
    )


@pytest.mark.parametrize("value", ['"image.rendition"', '"images"', '"os.system"', "5", "[]"])
def test_a_step_names_a_processor_that_exists(value: str) -> None:
    message = refusal(QUEUE + STEP.replace('"image.renditions"', value) + ROUTE)

    assert message.startswith("steps.thumbnails.processor: ")
    assert "is unknown; there is any.digest, " in message


@pytest.mark.parametrize(
    ("options", "key", "right"),
    [
        ("5", "options", "table"),
        ("{ size = 5 }", "options.size", "sizes, formats, quality"),
        ("{ sizes = [0] }", "options.sizes", "from 1 to 16383"),
        ('{ formats = ["heic"] }', "options.formats", "webp, avif, png, jpeg"),
    ],
)
def test_wrong_options_are_named_under_their_step(options: str, key: str, right: str) -> None:
    message = refusal(QUEUE + STEP.replace('{ sizes = [256], formats = ["webp"] }', options) + ROUTE)

    assert message.startswith(f"steps.thumbnails.{key}: ")
    assert right in message


@pytest.mark.parametrize("value", ["5", '"thumbnails"', "[]"])
def test_a_step_that_is_no_table_is_named(value: str) -> None:
    assert refusal(f"[steps]\nthumbnails = {value}\n" + QUEUE + ROUTE).startswith("steps.thumbnails: ")


@pytest.mark.parametrize("key", ["content_type", "name", "steps"])
def test_a_route_needs_all_its_keys(key: str) -> None:
    without = "\n".join(line for line in ROUTE.splitlines() if not line.startswith(key))

    assert refusal(QUEUE + STEP + without) == f"routes[1].{key}: is missing"


@pytest.mark.parametrize(
    "value", ["5", '""', '"image"', '"Image/*"', '"image/*; q=1"', '"image/**"', '"*"', '"/"', '["image/*"]']
)
def test_a_content_type_that_could_match_nothing_is_refused(value: str) -> None:
    message = refusal(QUEUE + STEP + ROUTE.replace('"image/*"', value))

    assert message.startswith("routes[1].content_type: ")
    assert message.endswith("write `image/*`, `application/pdf` or `*/*`")


@pytest.mark.parametrize("value", ["5", '""', "[]"])
def test_a_name_that_is_no_pattern_is_refused(value: str) -> None:
    message = refusal(QUEUE + STEP + ROUTE.replace('"**"', value))

    assert message.startswith("routes[1].name: ")
    assert "`invoices/*.pdf`" in message


@pytest.mark.parametrize("value", ["5", "[]", '"thumbnails"', '["other"]', '[["thumbnails"]]', "[{}]", '["thumbnails", 5]'])
def test_a_route_names_steps_that_exist(value: str) -> None:
    message = refusal(QUEUE + STEP + ROUTE.replace('["thumbnails"]', value))

    assert message.startswith("routes[1].steps: ")
    assert message.endswith("thumbnails")


def test_a_file_that_is_not_there_is_named_with_its_setting(tmp_path: Path) -> None:
    with pytest.raises(BadConfiguration, match=r"nothing\.toml does not exist; set SLUICE_PIPELINE"):
        routes.load(tmp_path / "nothing.toml")


def test_a_folder_is_no_pipeline(tmp_path: Path) -> None:
    with pytest.raises(BadConfiguration, match="cannot be read"):
        routes.load(tmp_path)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"[queues.images\n", "not TOML: .*line 1"),
        (b"a = 1\na = 2\n", "not TOML: .*line 2"),
        (b"# caf\xe9\n", "not TOML: .*utf-8"),
        (b"[sinks]\n", "sinks: unknown"),
    ],
)
def test_a_file_that_is_wrong_is_named_with_its_line_or_key(tmp_path: Path, data: bytes, message: str) -> None:
    path = tmp_path / "pipeline.toml"
    path.write_bytes(data)

    with pytest.raises(BadConfiguration, match=f"^{path}: {message}"):
        routes.load(path)


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
def test_names_are_matched_whole_and_nothing_but_stars_and_question_marks_is_special(
    pattern: str, name: str, matches: bool
) -> None:
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


def test_every_task_knows_its_siblings_its_queue_and_its_attempts(two_steps: Routes) -> None:
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


def test_accepted_types_are_listed_once_and_in_order(two_steps: Routes) -> None:
    assert two_steps.accepted_types() == ["image/*"]
