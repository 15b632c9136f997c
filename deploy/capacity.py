"""Whether each pool takes what its queues send at once, and what all services take together."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from deploy.errors import Failed
from deploy.listing import Listing
from shared import capacity, routes
from shared.errors import BadConfiguration
from shared.routes import Pool, Routes
from shared.routes.kinds import in_bytes

GIB = 1 << 30


class Size(NamedTuple):
    """CPUs and bytes of memory."""

    cpus: int
    memory_bytes: int

    def __str__(self) -> str:
        return f"{self.cpus} vCPU and {self.memory_bytes / GIB:g} GiB"


#: Quotas of a new project in each region: https://cloud.google.com/run/quotas
NEW_PROJECT = Size(20, 40 * GIB)


def read(path: Path, max_file_bytes: int) -> Routes:
    """A pipeline.toml, checked as at the start of a service. Raises Failed with every fault and its remedy."""
    found = load(path)
    try:
        capacity.check(found, max_file_bytes)
    except BadConfiguration as error:
        raise Failed("\n".join(f"{path}: {fault}" for fault in error.message.split("\n"))) from error
    faults = [fault for pool in found.pools.values() for fault in _overrun(found, pool)]
    if faults:
        raise Failed("\n".join(f"{path}: {fault}" for fault in faults))
    return found


def load(path: Path) -> Routes:
    """A pipeline.toml. Raises Failed with every fault that does not depend on options."""
    try:
        return routes.load(path)
    except BadConfiguration as error:
        raise Failed(error.message) from error


def _overrun(found: Routes, pool: Pool) -> Iterator[str]:
    """The fault of a pool whose queues send more than its instances take: Cloud Run would answer 429."""
    queues = [queue for queue in found.queues.values() if queue.pool == pool.name]
    sent, taken = sum(queue.max_concurrent_dispatches for queue in queues), pool.max_instances * pool.concurrency
    if sent > taken:
        names, least = ", ".join(queue.name for queue in queues), -(-sent // pool.concurrency)
        problem = (
            f"{pool.max_instances} with concurrency {pool.concurrency} take {taken} tasks at once, and {names} send {sent}"
        )
        remedy = f"write at least {least}, or lower max_concurrent_dispatches of these queues"
        yield f"pools.{pool.name}.max_instances: {problem}; {remedy}"


def total(listing: Listing) -> Size:
    """The size of all instances that the services may have together."""
    sizes = [*_of_lines(listing), *_of_pools(listing)]
    return Size(sum(size.cpus for size in sizes), sum(size.memory_bytes for size in sizes))


def _of_lines(listing: Listing) -> Iterator[Size]:
    for line in listing.lines:
        if line.word == "service":
            _, cpu, memory, _, _, instances, _ = line.arguments
            yield Size(int(cpu) * int(instances), in_bytes(memory) * int(instances))


def _of_pools(listing: Listing) -> Iterator[Size]:
    for pool in listing.pools.values():
        yield Size(pool.cpu * pool.max_instances, pool.memory_bytes * pool.max_instances)


def fits_a_new_project(size: Size) -> bool:
    """Whether a project whose quotas were never raised has this much in a region."""
    return size.cpus <= NEW_PROJECT.cpus and size.memory_bytes <= NEW_PROJECT.memory_bytes


def note(listing: Listing) -> str:
    """A sentence: the size of all instances together, and the remedies where a new project has less."""
    size = total(listing)
    taken = f"all instances together take {size}"
    if fits_a_new_project(size):
        return f"{taken}; a new project has {NEW_PROJECT} in a region"
    return (
        f"{taken}, a new project has only {NEW_PROJECT} in a region: lower max_instances, cpu or memory of the pools in "
        "pipeline.toml, or --instances; or request CpuAllocPerProjectRegion and MemAllocPerProjectRegion of run.googleapis.com"
    )
