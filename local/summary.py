"""A line for each of some jobs: its file, its verdict and a key fact or two. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from shared.findings import Pairs, findings, values

#: Labels of findings → how a line says them; in this order.
KEYS = {
    "Title": "“{}”",
    "Pages": "{} pages",
    "Rows": "{} rows",
    "Columns": "{} columns",
    "Lines": "{} lines",
    "Words": "{} words",
    "Encoding": "{}",
}


def lines(jobs: Iterable[Mapping[str, Any]]) -> list[str]:
    """A header, and an aligned line for each job as its notice describes it."""
    rows = [("FILE", "VERDICT", "WHAT CAME OUT"), *(_row(job) for job in jobs)]
    widths = [max(len(row[at]) for row in rows) for at in range(2)]
    return [f"{name:{widths[0]}}  {verdict:{widths[1]}}  {found}" for name, verdict, found in rows]


def _row(job: Mapping[str, Any]) -> tuple[str, str, str]:
    steps = [step for step in job["steps"] if step["verdict"] == "succeeded"]
    facts = [step["facts"] for step in steps]
    outputs = [output for step in steps for output in step["outputs"]]
    return job["file"]["name"].rpartition("/")[2], job["verdict"], ", ".join([*_said(facts), *_made(outputs)])


def _said(facts: list[Mapping[str, Any]]) -> Iterator[str]:
    yield from (f"{one['width_px']} × {one['height_px']} px" for one in facts if "width_px" in one)
    found = {
        label: text for one in findings(facts) for block in one.blocks if isinstance(block, Pairs) for label, text in block.rows
    }
    yield from (said.format(values.shown(found[label], 60)) for label, said in KEYS.items() if label in found)


def _made(outputs: list[Mapping[str, Any]]) -> Iterator[str]:
    pictures = sum(one["content_type"].startswith("image/") for one in outputs)
    if pictures:
        yield f"{pictures} pictures" if pictures > 1 else "1 picture"
    yield from (one["name"] for one in outputs if not one["content_type"].startswith("image/"))
