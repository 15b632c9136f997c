"""The files of `make chaos` can be told from each other by what is made of them."""

import pytest

from tests.chaos import contents


@pytest.mark.parametrize("kind", contents.SHARES)
def test_an_output_shows_which_file_it_was_made_from(kind: str) -> None:
    content = contents.made(kind, "0f1e2d3c4b5a6978")

    assert content != contents.made(kind, "0f1e2d3c4b5a6979")
    if kind not in contents.POISON:
        assert contents.shown(content.data, content.suffix) == content.token
