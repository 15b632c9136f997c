"""The order of a run: what its faults need is not sent before them, however slow the machine."""

import pytest

from tests.chaos.run import before_the_next


@pytest.mark.parametrize(("files", "between"), [(60, 18), (1000, 300), (1, 0)])
def test_files_are_left_for_the_queue_that_is_held_and_purged(files: int, between: int) -> None:
    done: list[int] = []
    sent = 0
    plot = [(share, lambda: done.append(sent)) for share in (0.35, 0.65)]
    while plot:
        sent = before_the_next(plot, files)  # all that may be sent was sent while one component started again
        while plot and sent >= plot[0][0] * files:
            plot.pop(0)[1]()

    held, purged = done
    assert purged - held == between
    assert before_the_next(plot, files) == files
