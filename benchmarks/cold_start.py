"""Cold start: the time from a function's start to its first answer, beside that of a hello-world function.

Each starts from the tree that the image holds, so that nothing of the development environment slows it down or helps it.
"""

import statistics
import time
from pathlib import Path

from benchmarks import numbers
from local.services import FUNCTIONS
from tests.first_requests import Customer, FirstRequest, answered, started
from tests.image import Image, build
from tests.machine import Machine, running
from tests.ports import free_port

ROUNDS = numbers.of("BENCH_COLD_STARTS", 9)
#: Times the start of a functions-framework function that imports nothing; what we mean to stay below.
GOALS = {"dispatcher": 1.8, "issuer": 1.8, "status": 1.8, "upload": 2.2, "processor": 2.2}
HELLO = """import functions_framework


@functions_framework.http
def hello(request):
    return "hello\\n"
"""


def measure(folder: Path) -> dict[str, float]:
    """Milliseconds by function and `hello`: medians of rounds in which each is started once, in turn."""
    (folder / "hello").mkdir()
    (folder / "hello" / "main.py").write_text(HELLO)
    image = build(folder / "image")
    with running(Machine(folder / "cold", cloud_only=True)) as machine:
        machine.create_resources()
        customer = Customer(machine)
        took: dict[str, list[float]] = {name: [] for name in ("hello", *FUNCTIONS)}
        for number in range(ROUNDS + 1):
            for name, times in took.items():
                seconds = _once(name, folder, image, customer)
                if number:  # the first round compiles modules and fills the system's caches
                    times.append(seconds * 1000)
    return {name: statistics.median(times) for name, times in took.items()}


def show(figures: dict[str, float]) -> None:
    """Print the ratios."""
    print(f"cold start to first answer, medians of {ROUNDS}: hello-world {figures['hello']:.0f} ms")
    for name, goal in GOALS.items():
        print(f"  {name:<12}{figures[name]:7.0f} ms   {figures[name] / figures['hello']:.2f} × hello-world (goal {goal})")


def _once(name: str, folder: Path, image: Image, customer: Customer) -> float:
    request = FirstRequest("GET", "/", 200) if name == "hello" else customer.of(name)
    source = folder / "hello" / "main.py" if name == "hello" else Path("functions") / name / "main.py"
    port = free_port()
    service = {"FUNCTION_TARGET": name, "FUNCTION_SOURCE": str(source), "PORT": str(port), "THREADS": "8"}
    log = folder / f"{name}.log"
    begun = time.monotonic()
    with started(image.command, image.folder, image.environment(customer.environment | service), log) as process:
        status = answered(process, f"http://127.0.0.1:{port}", request)
        took = time.monotonic() - begun
    if status != request.status:
        raise RuntimeError(f"{name} answered {status}: {log.read_text()}")
    return took
