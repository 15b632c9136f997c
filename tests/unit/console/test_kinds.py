"""The kind of a file by its type."""

import pytest

from shared.console import kinds


@pytest.mark.parametrize(
    ("content_type", "kind"),
    [
        ("text/csv; charset=utf-8", "table"),
        ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "table"),
        ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", "document"),
        ("Application/PDF", "document"),
        ("text/markdown", "text"),
        ("application/json", "text"),
        ("audio/mpeg", "audio"),
        ("application/octet-stream", "file"),
        ("", "file"),
    ],
)
def test_a_type_has_a_kind(content_type: str, kind: str) -> None:
    assert kinds.of(content_type) == kind
