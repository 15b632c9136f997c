"""The costs of a million files in docs/deploy.md follow from its own formulas."""

import re
from pathlib import Path

from shared import routes
from shared.settings import ROOT

DOCS = (ROOT / "docs" / "deploy.md").read_text()


def numbers() -> dict[str, float]:
    """The letters of the formula and their values in the example."""
    found: dict[str, float] = {}
    for names, values in re.findall(r"^\| ((?:`\w+`(?:, )?)+) \|.*\| ([\d., ]+) \|$", DOCS, re.MULTILINE):
        found |= zip(re.findall(r"\w+", names), map(float, values.split(", ")), strict=True)
    return found


def lines() -> list[tuple[str, float]]:
    """Each formula, and what the example says of it."""
    return [(formula, float(cost)) for formula, cost in re.findall(r"\| `([^`]+)` \| (\d+\.\d\d) \|$", DOCS, re.MULTILINE)]


def test_every_line_of_the_example_follows_from_its_formula() -> None:
    given = numbers()

    assert len(lines()) == 8
    assert [(formula, f"{eval(formula, {}, given):.2f}") for formula, _ in lines()] == [
        (formula, f"{cost:.2f}") for formula, cost in lines()
    ]


def test_the_example_is_the_sum_of_its_lines() -> None:
    (total,) = re.findall(r"\| \*\*together\*\* \| \| \*\*(\d+\.\d\d)\*\* \|", DOCS)

    assert f"{sum(cost for _, cost in lines()):.2f}" == total


def test_what_an_instance_costs_follows_from_its_size() -> None:
    """The dispatcher has 1 vCPU and half a GiB, the processor 2 and 4, as deploy.sh gives them."""
    given = numbers()

    assert (given["qd"], given["qp"]) == (24 * 1 + 2.5 * 0.5, 24 * 2 + 2.5 * 4)
    assert re.search(r"service  dispatcher  1 +512Mi", (ROOT / "deploy.sh").read_text())
    pool = routes.load(Path(ROOT / "pipeline.toml")).pools["default"]
    assert (pool.cpu, pool.memory_bytes) == (2, 4 << 30)
