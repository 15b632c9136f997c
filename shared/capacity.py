"""Memory of a processor: its room for deliveries, the need of each, and whether a pool has enough. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from shared.errors import BadConfiguration
from shared.model import Limits
from shared.plan import PlannedStep
from shared.routes import Pool, Routes, tasks
from shared.routes.keys import MEBIBYTES

MIB = 1 << 20
#: Memory of the service itself, and of the process that the sandbox forks.
BASE_BYTES = 256 * MIB


def need(limits: Iterable[Limits]) -> int:
    """Bytes that a delivery takes for steps with these limits: one runs at a time; all outputs lie in memory."""
    every = list(limits)
    return max((each.memory_bytes for each in every), default=0) + sum(each.output_bytes for each in every)


def room(pool: Pool) -> int:
    """Bytes that the deliveries in one instance may take together."""
    return pool.memory_bytes - BASE_BYTES


def least_memory(pool: Pool, largest: int, max_file_bytes: int) -> int:
    """The least `memory_bytes` of a pool whose largest delivery needs this many bytes.

    All deliveries at once may be as large as that. Or one of them works on the largest file, which lies in /tmp beside its
    unpacked copy: then the others wait.
    """
    return BASE_BYTES + max(pool.concurrency * largest, largest + 2 * max_file_bytes)


def served(routes: Routes, name: str) -> Pool:
    """The pool of this name. Raises `BadConfiguration` when pipeline.toml has none."""
    if name not in routes.pools:
        raise BadConfiguration(f"SLUICE_POOL is {name[:80]!r}; set it to a pool of pipeline.toml: {', '.join(routes.pools)}")
    return routes.pools[name]


def processors(routes: Routes, pool: Pool) -> Sequence[str]:
    """The names of the processors that files bring to this pool, sorted."""
    mine = (steps for queue, steps in tasks.possible(routes) if routes.pool(queue) == pool)
    return sorted({step.recipe.processor for steps in mine for step in steps})


def check(routes: Routes, max_file_bytes: int) -> None:
    """Check the memory of every pool. Raises `BadConfiguration` naming the steps that need more, and the remedies."""
    largest = _largest(routes)
    faults = [fault for name, steps in sorted(largest.items()) for fault in _faults(routes.pools[name], steps, max_file_bytes)]
    if faults:
        raise BadConfiguration("\n".join(faults))


def _largest(routes: Routes) -> Mapping[str, Sequence[PlannedStep]]:
    """For each pool, the steps of the task that needs most."""
    found: dict[str, Sequence[PlannedStep]] = {}
    for queue, steps in tasks.possible(routes):
        pool = routes.pool(queue).name
        found[pool] = max(found.get(pool, ()), steps, key=_need)
    return found


def _need(steps: Sequence[PlannedStep]) -> int:
    return need(step.limits for step in steps)


def _faults(pool: Pool, steps: Sequence[PlannedStep], max_file_bytes: int) -> Iterator[str]:
    largest, path = _need(steps), f"pools.{pool.name}.memory"
    least = least_memory(pool, largest, max_file_bytes)
    if pool.memory_bytes >= least:
        return
    needs = f"a file's task of the steps {', '.join(step.name for step in steps)} needs {_mebibytes(largest)}"
    if is_crowded := room(pool) // largest < pool.concurrency:
        needs += f", and {pool.concurrency} run at once"
    if room(pool) < largest + 2 * max_file_bytes:
        needs += f", and a file of {max_file_bytes} bytes needs twice its size beside one of them"
    remedies = [*_more_memory(pool, least), *_less_work(pool, largest, max_file_bytes)]
    if is_crowded and 2 * max_file_bytes < room(pool):
        remedies.append("lower `memory` and `output_bytes` of these steps")
    remedy = " or ".join(remedies) or "lower `memory` and `output_bytes` of these steps, and SLUICE_MAX_FILE_BYTES"
    yield f"{path}: {_mebibytes(pool.memory_bytes)} is too little: {needs}; {remedy}"


def _more_memory(pool: Pool, least: int) -> Iterator[str]:
    """The remedy of more memory, with more CPUs where Cloud Run demands them; none above its largest instance."""
    if cpu := next((cpu for cpu, (_, most) in MEBIBYTES.items() if cpu >= pool.cpu and least <= most * MIB), 0):
        yield f"write at least {_mebibytes(least)}" + (f" with cpu = {cpu}" if cpu > pool.cpu else "")


def _less_work(pool: Pool, largest: int, max_file_bytes: int) -> Iterator[str]:
    """The remedy within the memory of the pool: every value that has to be lower; none where one would be 0."""
    fitting, left = room(pool) // largest, (room(pool) - largest) // 2
    lower = [f"concurrency to {fitting}"] if fitting < pool.concurrency else []
    lower += [f"SLUICE_MAX_FILE_BYTES (--max-file-bytes) to {left}"] if left < max_file_bytes else []
    if fitting > 0 and left > 0:
        yield f"lower {' and '.join(lower)}"


def _mebibytes(size: int) -> str:
    return f"{-(-size // MIB)}Mi"
