"""The pools of a pipeline.toml, from their tables."""

from collections.abc import Mapping
from typing import Any

from shared.routes import keys
from shared.routes.definitions import DEFAULT_POOL, Pool
from shared.routes.faults import Faults, below
from shared.routes.kinds import in_bytes

MIB = 1 << 20


def read(faults: Faults, tables: Mapping[str, Any] | None, *, is_given: bool) -> Mapping[str, Pool]:
    """The right pools; without a table of pools, the default one. Their names are those that a queue may name."""
    if tables is None:
        faults.names |= {} if is_given else {"pools": [DEFAULT_POOL.name]}
        return {DEFAULT_POOL.name: DEFAULT_POOL}
    faults.names["pools"] = list(tables)
    found = {name: _pool(faults, name, value) for name, value in tables.items()}
    return {name: pool for name, pool in found.items() if pool}


def check_default(faults: Faults, path: str, queue: Any) -> None:
    """Add a fault for a queue that names no pool where none is named `default`."""
    names = faults.names.get("pools", (DEFAULT_POOL.name,))
    if isinstance(queue, dict) and "pool" not in queue and DEFAULT_POOL.name not in names:
        faults.add(f"{path}.pool", f"missing, and no pool is named {DEFAULT_POOL.name}", f"write one of {', '.join(names)}")


def _pool(faults: Faults, name: str, value: Any) -> Pool | None:
    path = below("pools", name)
    faults.check_name(path, name, keys.POOL_NAME)
    right = faults.read(path, value, keys.POOL)
    if right.keys() < keys.POOL.keys():
        return None
    amount = right.pop("memory")
    pool = Pool(name, memory_bytes=in_bytes(amount), **right)
    least, most = keys.MEBIBYTES[pool.cpu]
    if not least * MIB <= pool.memory_bytes <= most * MIB:
        faults.wrong(f"{path}.memory", amount, f"with cpu = {pool.cpu}, Cloud Run takes {least}Mi to {most}Mi")
    return pool
