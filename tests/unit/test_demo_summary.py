"""The lines with which the demo ends: a file, its verdict, and a key fact or two."""

from typing import Any

from local import summary


def job(name: str, verdict: str, *steps: dict[str, Any]) -> dict[str, Any]:
    shown = {"verdict": "succeeded", "facts": {}, "outputs": []}
    return {"file": {"name": name}, "verdict": verdict, "steps": [shown | step for step in steps]}


def test_a_file_of_each_kind_has_a_line() -> None:
    picture = {"name": "256.webp", "content_type": "image/webp"}
    text = {"name": "text.txt", "content_type": "text/plain; charset=utf-8"}
    made = [
        job("demo/cat.png", "succeeded", {"facts": {"width_px": 451, "height_px": 300}}, {"outputs": [picture] * 3}),
        job(
            "a/b/alice.pdf",
            "partial",
            {"facts": {"format": "pdf", "title": "Alice", "pages": 3}},
            {"facts": {"pages": 3, "words": 1234, "characters": 9}, "outputs": [text]},
            {"outputs": [picture]},
            {"verdict": "failed", "outputs": [picture]},
        ),
        job("planets.csv", "succeeded", {"facts": {"rows": 8, "column_count": 7, "columns": [{"name": "planet"}]}}),
        job("sonnet.txt", "succeeded", {"facts": {"encoding": "utf-8", "lines": 17, "words": 114, "longest_line": 50}}),
    ]

    assert summary.lines(made) == [
        "FILE         VERDICT    WHAT CAME OUT",
        "cat.png      succeeded  451 × 300 px, 3 pictures",
        "alice.pdf    partial    “Alice”, 3 pages, 1,234 words, 1 picture, text.txt",
        "planets.csv  succeeded  8 rows, 7 columns",
        "sonnet.txt   succeeded  17 lines, 114 words, utf-8",
    ]
