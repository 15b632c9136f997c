"""Mistakes in pipeline.toml: each error names the key and a right value."""

import re
from pathlib import Path
from typing import Any

import pytest

from shared import routes
from shared.errors import BadConfiguration
from tests.unit.pipelines import QUEUE, ROUTE, STEP, WHOLE, fault


def refusal(text: str) -> str:
    with pytest.raises(BadConfiguration) as refused:
        routes.parse(text)
    return refused.value.message


def queue(key: str, value: Any) -> str:
    lines = [line for line in QUEUE.splitlines() if not line.startswith(f"{key} ")]
    return "\n".join([*lines, *([f"{key} = {value}"] if value is not None else [])]) + STEP + ROUTE


@pytest.mark.parametrize("table", ["queues", "steps", "routes"])
def test_a_table_that_is_missing_is_named_with_how_to_write_it(table: str) -> None:
    without = {"queues": STEP + ROUTE, "steps": QUEUE + ROUTE, "routes": QUEUE + STEP}[table]

    message = refusal(without)
    assert message.startswith(f"{table}: missing; write ")
    assert f"[{table}" in message


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "missing"),
        ("queues = 5", "5 is not allowed"),
        ("queues = []", "[] is not allowed"),
        ("[queues]", "{} is not allowed"),
    ],
)
def test_a_wrong_table_is_named(text: str, problem: str) -> None:
    assert refusal(f"{text}\n{STEP}{ROUTE}") == f"queues: {problem}; write a table [queues.<name>]"


@pytest.mark.parametrize("value", ["5", "{}", "[]", '"image/*"'])
def test_routes_are_a_list(value: str) -> None:
    message = refusal(f"routes = {value}\n" + QUEUE + STEP)

    assert re.fullmatch(r"routes: .+ is not allowed; write \[\[routes]] with content_type, name and steps", message)


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
def test_an_unknown_key_is_named_with_the_known_ones(text: str, start: str, known: str) -> None:
    message = refusal(text)

    assert message.startswith(start)
    assert known in message


@pytest.mark.parametrize(
    "key",
    ["max_dispatches_per_second", "max_concurrent_dispatches", "attempts", "min_backoff_seconds", "max_backoff_seconds"],
)
def test_a_queue_needs_each_of_its_numbers(key: str) -> None:
    assert re.fullmatch(rf"queues\.images\.{key}: missing; write a (whole )?number from \S+ to \d+", refusal(queue(key, None)))


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
    assert message.endswith(f"write {right}")


def test_the_least_back_off_is_not_above_the_most() -> None:
    message = refusal(queue("min_backoff_seconds", "301"))

    assert message == (
        "queues.images.min_backoff_seconds: 301.0 is not allowed; write at most 300, which is max_backoff_seconds"
    )


def test_the_least_back_off_may_equal_the_most() -> None:
    loaded = routes.parse(queue("min_backoff_seconds", "300"))

    assert loaded.queues["images"].min_backoff_seconds == loaded.queues["images"].max_backoff_seconds == 300


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


def test_a_name_that_toml_would_quote_is_quoted_in_its_path() -> None:
    line, *_ = fault({"a.\n": {}}).split("\n")

    assert line.startswith('steps."a.\\n": a name takes ')


@pytest.mark.parametrize("value", ['"other"', "5", '["images"]', "{}"])
def test_a_step_names_a_queue_that_exists(value: str) -> None:
    message = refusal(QUEUE + STEP.replace('queue = "images"', f"queue = {value}") + ROUTE)

    assert message.startswith("steps.thumbnails.queue: ")
    assert message.endswith("write one of images")


@pytest.mark.parametrize(
    ("line", "choices"), [('queue = "images"', "images"), ('processor = "image.renditions"', "any.digest, ")]
)
def test_a_step_needs_a_queue_and_a_processor(line: str, choices: str) -> None:
    message = refusal(QUEUE + STEP.replace(line, "") + ROUTE)

    assert message.startswith(f"steps.thumbnails.{line.partition(' ')[0]}: missing; write one of {choices}")


@pytest.mark.parametrize("value", ['"image.rendition"', '"images"', '"os.system"', "5", "[]"])
def test_a_step_names_a_processor_that_exists(value: str) -> None:
    message = refusal(QUEUE + STEP.replace('"image.renditions"', value) + ROUTE)

    assert re.match(r"steps\.thumbnails\.processor: .* is (unknown|not allowed); write one of any\.digest, ", message)


@pytest.mark.parametrize(
    ("options", "key", "right"),
    [
        ("5", "options", "table"),
        ("{ size = 5 }", "options.size", "sizes, formats, name, fit, "),
        ("{ sizes = [0] }", "options.sizes", "from 1 to 16383"),
        ('{ formats = ["heic"] }', "options.formats", "webp, avif, png, jpeg"),
    ],
)
def test_wrong_options_are_named_under_their_step(options: str, key: str, right: str) -> None:
    message = refusal(QUEUE + STEP.replace('{ sizes = [256], formats = ["webp"] }', options) + ROUTE)

    assert message.startswith(f"steps.thumbnails.{key}: ")
    assert right in message


@pytest.mark.parametrize("value", ["5", '"thumbnails"', "[]"])
def test_a_step_is_a_table(value: str) -> None:
    assert refusal(f"[steps]\nthumbnails = {value}\n" + QUEUE + ROUTE).startswith("steps.thumbnails: ")


@pytest.mark.parametrize("key", ["content_type", "name", "steps"])
def test_a_route_needs_all_its_keys(key: str) -> None:
    without = "\n".join(line for line in ROUTE.splitlines() if not line.startswith(key))

    assert re.match(rf"routes\[1]\.{key}: missing; (write|list) ", refusal(QUEUE + STEP + without))


@pytest.mark.parametrize(
    "value",
    ["5", '""', '"image"', '"Image/*"', '"image/*; q=1"', '"image/**"', '"*"', '"/"', "[]", '["image"]', '["image/*", 5]'],
)
def test_a_content_type_that_matches_nothing_is_refused(value: str) -> None:
    message = refusal(QUEUE + STEP + ROUTE.replace('"image/*"', value))

    assert message.startswith("routes[1].content_type: ")
    assert message.endswith("write `image/*`, `application/pdf` or `*/*`, or a list of such types")


@pytest.mark.parametrize("value", ["5", '""', "[]"])
def test_a_name_is_a_pattern(value: str) -> None:
    message = refusal(QUEUE + STEP + ROUTE.replace('"**"', value))

    assert message.startswith("routes[1].name: ")
    assert "`invoices/*.pdf`" in message


@pytest.mark.parametrize("value", ["5", "[]", '"thumbnails"', '["other"]', '[["thumbnails"]]', "[{}]", '["thumbnails", 5]'])
def test_a_route_names_steps_that_exist(value: str) -> None:
    message = refusal(QUEUE + STEP + ROUTE.replace('["thumbnails"]', value))

    assert message.startswith("routes[1].steps: ")
    assert message.endswith("thumbnails")


# ---- the other keys of a route


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("queue", "quick", "'quick' is not allowed; write one of images, slow"),
        ("queue", ["slow"], "['slow'] is not allowed; write one of images, slow"),
        ("metadata", {}, '{} is not allowed; write { key = "value" }'),
        ("metadata", {"a": 5}, """{'a': 5} is not allowed; write { key = "value" }"""),
        ("metadata", "a", """'a' is not allowed; write { key = "value" }"""),
        ("max_bytes", 0, "0 is not allowed; write a whole number from 1 to 5497558138880"),
        ("max_bytes", 1.5, "1.5 is not allowed; write a whole number from 1 to 5497558138880"),
        ("on_request", "yes", "'yes' is not allowed; write true or false"),
        ("on_request", 1, "1 is not allowed; write true or false"),
    ],
)
def test_a_wrong_value_of_a_route_is_named(key: str, value: Any, message: str) -> None:
    assert fault({"a": {}}, {"steps": ["a"], key: value}) == f"routes[1].{key}: {message}"


# ---- all at once


def test_every_fault_is_named_in_one_go() -> None:
    text = WHOLE.replace("attempts = 5", "attempts = 0").replace("sizes = [256]", "sizes = [0]").replace("**", "")

    assert [line.partition(":")[0] for line in refusal(text + "[more]\n").splitlines()] == [
        "more",
        "queues.images.attempts",
        "steps.thumbnails.options.sizes",
        "routes[1].name",
    ]


def test_a_fault_is_not_repeated_by_those_that_refer_to_it() -> None:
    steps = {
        "a": {"processor": "image.rendition"},
        "b": {"after": ["a", "x"], "input": "a/1.webp", "when": {"step": "a", "fact": "n", "min": 1}},
    }

    assert [line.partition(":")[0] for line in fault(steps).splitlines()] == ["steps.a.processor", "steps.b.after"]


def test_a_plan_that_no_task_can_carry_is_refused() -> None:
    steps = {f"step-{number}": {"options": {"sizes": list(range(1000, 1200))}} for number in range(100)}

    assert re.fullmatch(r"steps: a plan of all steps has \d+ bytes of JSON, .+; keep it below 65536 .+", fault(steps))


# ---- the file


def test_every_line_of_a_refusal_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "pipeline.toml"
    path.write_text("[sinks]\n[sources]\n" + WHOLE)

    with pytest.raises(BadConfiguration) as refused:
        routes.load(path)
    assert [line.partition(" unknown")[0] for line in refused.value.message.split("\n")] == [
        f"{path}: sinks:",
        f"{path}: sources:",
    ]


def test_a_missing_file_is_named_with_its_setting(tmp_path: Path) -> None:
    with pytest.raises(BadConfiguration, match=r"nothing\.toml: not found; set SLUICE_PIPELINE"):
        routes.load(tmp_path / "nothing.toml")


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadConfiguration, match="cannot be read"):
        routes.load(tmp_path)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"[queues.images\n", "not TOML: .*line 1"),
        (b"a = 1\na = 2\n", "not TOML: .*line 2"),
        (b"# caf\xe9\n", "not TOML, which is UTF-8: .*utf-8"),
        (b"a = " + b"9" * 5000, "not TOML: "),
        (b"a = " + b"[" * 5000, "not TOML: "),
        (b"[sinks]\n", "sinks: unknown"),
    ],
)
def test_a_wrong_file_is_named_with_its_line_or_key(tmp_path: Path, data: bytes, message: str) -> None:
    path = tmp_path / "pipeline.toml"
    path.write_bytes(data)

    with pytest.raises(BadConfiguration, match=f"^{path}: {message}"):
        routes.load(path)
