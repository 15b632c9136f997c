"""The sweep of one run: the engine of the scheduled sweep, without its window."""

from shared import index
from shared.model import Run
from shared.operations import healing
from tests.proof.effects import EffectCloud


def sweep(run: Run, number: int, cloud: EffectCloud) -> None:
    """Heal a run without an index entry. The sweeps of the whole simulation count from 1."""
    numbers = range(1, number + 1)
    if run.number:
        claim = index.find_claim(cloud.results, run.file.file_id, run.file.generation, run.number)
        assert claim
        healing.claim(claim, numbers, cloud, _is_paused)
    else:
        healing.upload(run.file, numbers, cloud, _is_paused)


def _is_paused(_queue: str) -> bool:
    return False
