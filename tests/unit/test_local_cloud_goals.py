"""The table of `python -m benchmarks.local_cloud`: ratios to Google's programs, and missing ones."""

import pytest

from benchmarks import local_cloud

OURS = {goal.key: 1000.0 for goal in (*local_cloud.GOOGLE, *local_cloud.OWN)}


def shown(google: dict[str, float], capsys: pytest.CaptureFixture[str]) -> list[str]:
    """The lines of the table."""
    local_cloud.show({**OURS, "google": google})
    return capsys.readouterr().out.splitlines()


def test_uploads_are_judged_by_their_ratio_to_the_testbench(capsys: pytest.CaptureFixture[str]) -> None:
    slow, fast = (
        next(line for line in shown({"uploads_per_second": rate}, capsys) if line.startswith("Storage: 1 KB uploads/s  "))
        for rate in (200, 100)
    )

    assert slow.split()[-6:] == ["200.0", "5.00", "≥", "8", "×", "MISSED"]
    assert fast.split()[-6:] == ["100.0", "10.00", "≥", "8", "×", "met"]


@pytest.mark.parametrize(
    ("google", "missing"),
    [
        ({"pull_per_second": 1.0, "uploads_per_second": 1.0}, []),
        ({"pull_per_second": 1.0}, ["BENCH_TESTBENCH"]),
        ({"uploads_per_second": 1.0}, ["Google's"]),
        ({}, ["Google's", "BENCH_TESTBENCH"]),
    ],
)
def test_a_program_of_google_that_is_missing_is_named(
    google: dict[str, float], missing: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert [line.split()[0] for line in shown(google, capsys) if line.endswith("with")] == missing
