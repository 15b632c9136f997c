"""`make proof`: oracle, faults, crash points, mutants, and their counts. Exits with 1 where anything failed."""

import argparse
import contextlib
import sys
import time
from collections.abc import Sequence

from tests.proof import report
from tests.proof.mutants import MUTANTS
from tests.proof.planting import Mutant
from tests.proof.shapes_of_runs import all_shapes

PARTS = ("oracle", "faults", "crash-points", "mutants")
ALL = "all"


def main(arguments: list[str] | None = None) -> int:
    """Run the chosen parts."""
    options = _parser().parse_args(arguments)
    with contextlib.ExitStack() as stack:
        chosen = [mutant for mutant in MUTANTS if mutant.name == options.mutant] or MUTANTS
        if options.replay:
            if options.mutant:
                stack.enter_context(chosen[0].planted())
            return int(bool(report.replay(options.replay)))
        failed = [fault for part in (PARTS if ALL in options.parts else options.parts) for fault in _run(part, options, chosen)]
    print(f"proof: {time.process_time():.0f} s of CPU, {'FAILED' if failed else 'nothing failed'}")
    for fault in failed:
        print(f"FAILED {fault}")
    return int(bool(failed))


def _run(part: str, options: argparse.Namespace, chosen: Sequence[Mutant]) -> list[str]:
    begun = time.process_time()
    failed = _played(part, options, chosen)
    print(f"{part}: {time.process_time() - begun:.0f} s of CPU", flush=True)
    return failed


def _played(part: str, options: argparse.Namespace, chosen: Sequence[Mutant]) -> list[str]:
    if part == "oracle":
        return report.oracle(options.examples)
    if part == "faults":
        return report.faults(options.runs, options.seed)
    return report.crash_points(options.shape) if part == "crash-points" else report.mutants(options.budget, chosen)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make proof", description=__doc__)
    parser.add_argument("parts", nargs="*", choices=(*PARTS, ALL), default=ALL, help="the parts to play")
    parser.add_argument("--runs", type=int, default=6000, help="runs with faults, half of them with losses and sweeps")
    parser.add_argument("--seed", type=int, default=0, help="number of the first run")
    parser.add_argument("--examples", type=int, default=1000, help="plans for the oracle")
    parser.add_argument("--budget", type=int, default=400, help="runs of each tier in which a mutant must be found out")
    parser.add_argument("--mutant", choices=[mutant.name for mutant in MUTANTS], metavar="NAME", help="only this one")
    parser.add_argument("--shape", choices=all_shapes(), metavar="NAME", help="only the crash points of this one")
    parser.add_argument("--replay", metavar="RUN", help="play TIER:NUMBER or SHAPE:FAULTS again, and print its schedule")
    return parser


if __name__ == "__main__":
    sys.exit(main())
