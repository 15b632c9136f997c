"""`make chaos N=1000 SEED=7`: files through every door while components are killed; exits with 1 for any loss."""

import argparse
import random
import shutil
import sys
import tempfile
from pathlib import Path

from tests.chaos import report
from tests.chaos.run import Outcome, play

#: A kill for so many files, within limits.
FILES_PER_KILL, MOST_KILLS = 5, 2000


def main(arguments: list[str] | None = None) -> int:
    """Play and print. Gives the exit status."""
    options = _parser().parse_args(arguments)
    seed = random.SystemRandom().randrange(10**6) if options.seed is None else options.seed
    kills = min(MOST_KILLS, max(1, options.files // FILES_PER_KILL)) if options.kills is None else options.kills
    data = Path(tempfile.mkdtemp(prefix="sluice-chaos-"))
    print(f"chaos: {options.files} files, at least {kills} kills, seed {seed}; data in {data}", flush=True)
    return shown(play(options.files, kills, seed, data), data)


def shown(outcome: Outcome, data: Path) -> int:
    """Print the outcome, and delete the data where nothing was found. Gives the exit status."""
    print(report.table(outcome))
    if outcome.findings:
        print(f"{report.violations(outcome.findings)}\nThe data, logs and ledger stay in {data}.")
        return 1
    shutil.rmtree(data)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("--files", type=int, default=1000, help="files to send")
    parser.add_argument("--seed", type=int, help="draws files, doors, kills and faults; otherwise a random one")
    parser.add_argument("--kills", type=int, help="least number of kills; otherwise one for five files, 2,000 at most")
    return parser


if __name__ == "__main__":
    sys.exit(main())
