"""The jobs that a sweep remembers: all of them, no others, and 14 bytes of each beside its bucket."""

from shared.operations.ended import Ended


def test_every_job_that_was_added_is_found_and_no_other() -> None:
    ended = Ended()
    for number in range(20_000):
        ended.add(f"job-{number}")

    assert len(ended) == 20_000
    assert all(f"job-{number}" in ended for number in range(20_000))
    assert not any(f"job-{number}-r1" in ended for number in range(20_000))
