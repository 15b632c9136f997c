"""Memory that service.call takes while it streams a large file to a service and back."""

import http.server
import resource
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

MIB = 1 << 20
SIZE = 500 * MIB
BLOCK_BYTES = 1 << 20
#: The goal, in MiB beyond what the process had before.
MOST_MIB = 20


def measure() -> dict[str, float]:
    """Seconds and MiB of a call that sends and gets 500 MB, in a process of its own; the service runs in this one."""
    with tempfile.TemporaryDirectory(prefix="sluice-streaming-") as folder:
        source = Path(folder) / "source"
        with source.open("wb") as file:
            file.truncate(SIZE)
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Echo)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            command = [sys.executable, "-m", "benchmarks.streaming", str(server.server_port), folder]
            seconds, grown = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
        finally:
            server.shutdown()
            thread.join()
            server.server_close()
    return {"seconds": float(seconds), "mib": float(grown)}


def show(measured: dict[str, float]) -> bool:
    """Print the figures; False where the goal is missed."""
    is_met = measured["mib"] <= MOST_MIB
    verdict = "met" if is_met else "missed"
    print(f"service.call, 500 MB there and back:  {measured['seconds']:.1f} s, {measured['mib']:.1f} MiB of memory")
    print(f"  goal: at most {MOST_MIB} MiB: {verdict}")
    return is_met


class _Echo(http.server.BaseHTTPRequestHandler):
    """Answers with the body, once it has read it: as many zeros."""

    def do_POST(self) -> None:
        size = int(self.headers["Content-Length"])
        left = size
        while left and (block := self.rfile.read(min(left, BLOCK_BYTES))):
            left -= len(block)
        self.send_response(200)
        self.send_header("Content-Length", str(size))
        self.end_headers()
        for _ in range(size // BLOCK_BYTES):
            self.wfile.write(bytes(BLOCK_BYTES))

    def log_message(self, *_: Any) -> None:
        """Nothing is logged."""


def _call(port: int, folder: Path) -> tuple[float, float]:
    from shared import origins, processors
    from shared.model import LIMITS
    from shared.outside import answers, calls  # noqa: F401  (loaded before the first look at the memory)
    from shared.outside.reach import Reach

    url = f"http://127.0.0.1:{port}/"
    processor = processors.find("service.call")
    options = processor.check({"url": url, "answer": "output", "output": "same"})
    reach = Reach(origins=origins.listed(url), limits=replace(LIMITS, output_bytes=SIZE), deadline=time.monotonic() + 600)
    before, started = _peak_mib(), time.monotonic()
    (draft,) = processor.run(folder / "source", folder, options, reach=reach).drafts
    assert draft.path.stat().st_size == SIZE
    return time.monotonic() - started, _peak_mib() - before


def _peak_mib() -> float:
    """The most memory of this process so far. On Linux, `ru_maxrss` has that of the process that started it, too."""
    if sys.platform == "linux":
        peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
        return int(peak.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MIB


if __name__ == "__main__":
    print(*_call(int(sys.argv[1]), Path(sys.argv[2])))
