"""When a child that ended is started again."""

from local.children import next_pause


def test_the_pause_before_a_restart_grows_while_the_child_keeps_ending() -> None:
    pauses = [0.0]
    for _ in range(7):
        pauses.append(next_pause(pauses[-1], lived_seconds=2))

    assert pauses[1:] == [1, 2, 4, 8, 16, 30, 30]


def test_a_child_that_has_lived_long_enough_is_started_again_soon() -> None:
    assert next_pause(16, lived_seconds=31) == 1
