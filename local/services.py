"""The services of the stack: the function that each runs, its port, its URL, and the variables that only it has."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from localcloud.address import HOST, Ports
from shared.routes import Pool, Routes
from shared.routes.definitions import DEFAULT_POOL
from shared.routes.webhooks import AT_ONCE

#: Function → its port. Further pools of the processor follow from `FIRST_POOL_PORT` on.
FUNCTIONS = {
    "upload": 8080,
    "issuer": 8081,
    "dispatcher": 8082,
    "processor": 8083,
    "status": 8084,
    "console": 8088,
    "sweeper": 8089,
}
#: The age from which a sweep looks at a file, and the period of the stack's clock: shorter than in the cloud.
SWEEP_AFTER_SECONDS, SWEEP_SECONDS = 300, 600
#: The notifier runs where pipeline.toml has webhooks.
NOTIFIER_PORT = 8090
PUSH_THREADS = 8
FIRST_POOL_PORT = 8091
#: Further pools whose ports are reserved.
RESERVED_POOLS = 9


@dataclass(frozen=True, slots=True)
class Service:
    """A process of the stack. `port` is the one at offset 0."""

    name: str
    function: str
    port: int
    variables: Mapping[str, str] = field(default_factory=dict)

    def port_at(self, ports: Ports) -> int:
        """The port, moved by the offset."""
        return self.port + ports.offset

    def url(self, ports: Ports) -> str:
        """The base URL."""
        return f"http://{HOST}:{self.port_at(ports)}"


def url(function: str, ports: Ports) -> str:
    """The base URL of a function that is one service."""
    return Service(function, function, FUNCTIONS[function]).url(ports)


def services(routes: Routes) -> Sequence[Service]:
    """A service of each function, of the processor one of each pool, and the notifier for webhooks."""
    others = [Service(name, name, port) for name, port in FUNCTIONS.items() if name != "processor"]
    return [*others, *_notifier(routes), *processors(routes.pools.values()).values()]


def _notifier(routes: Routes) -> Sequence[Service]:
    """It has a thread for each post at the same time, so that a receiver that hangs delays no other."""
    threads = AT_ONCE * len(routes.webhooks) + PUSH_THREADS
    return [Service("notifier", "notifier", NOTIFIER_PORT, {"THREADS": str(threads)})] if routes.webhooks else []


def processors(pools: Iterable[Pool]) -> Mapping[str, Service]:
    """The service of each pool by the pool's name: `processor` for the default one, else `processor-<name>`."""
    found: dict[str, Service] = {}
    free = FIRST_POOL_PORT
    for pool in pools:
        variables = {"SLUICE_POOL": pool.name, "THREADS": str(pool.concurrency)}
        if pool.name == DEFAULT_POOL.name:
            found[pool.name] = Service("processor", "processor", FUNCTIONS["processor"], variables)
        else:
            found[pool.name] = Service(f"processor-{pool.name}", "processor", free, variables)
            free += 1
    return found


def all_ports(ports: Ports) -> set[int]:
    """Every port of the stack: the cloud's, the functions', and those that further pools take."""
    numbers = [*FUNCTIONS.values(), NOTIFIER_PORT, *range(FIRST_POOL_PORT, FIRST_POOL_PORT + RESERVED_POOLS)]
    return ports.all | {number + ports.offset for number in numbers}


def urls(routes: Routes, ports: Ports) -> dict[str, str]:
    """`SLUICE_<FUNCTION>_URL` of every function, and `SLUICE_PROCESSOR_URLS` of the pools."""
    others = {each.name: each.url(ports) for each in services(routes) if each.function != "processor"}
    of_pools = ",".join(f"{name}={each.url(ports)}" for name, each in processors(routes.pools.values()).items())
    return {f"SLUICE_{name.upper()}_URL": url for name, url in others.items()} | {"SLUICE_PROCESSOR_URLS": of_pools}
