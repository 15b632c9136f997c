"""The faults of a run: kills, broken calls, a paused queue, a purge, another configuration; and the sweeps."""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import requests

from localcloud.address import HOST, LOCATION, PROJECT
from localcloud.calls import CALLS_PATH
from localcloud.faults.control import FAULTS_PATH
from tests.chaos.fleet import CLOUD, Fleet
from tests.chaos.reading import answered
from tests.chaos.sender import LETTERS, LOST, TWICE
from tests.eventually import eventually

DAY_SECONDS = 24 * 3600
SHORTEST_SECONDS, LONGEST_SECONDS = 1.0, 3.0  # 1.7 on average
#: A file takes so long on a quiet machine.
WORK_SECONDS = 0.4
FAULT_SECONDS = 4.0
#: Longest wait until the queue that is purged has tasks.
PURGE_SECONDS = 30
QUEUES = ("texts", "pictures", "digests", "bulk")
#: Uploads of outputs, manifests and entries.
RESULTS = "POST /upload/storage/v1/b/results/"
NOTIFICATION = f"//pubsub.googleapis.com/projects/{PROJECT}/topics/uploads"


class Weather:
    """All faults of a run. Everything but the moments is drawn from the seed."""

    def __init__(self, fleet: Fleet, seed: int, sweep_seconds: float) -> None:
        self._fleet = fleet
        self._draw = random.Random(seed)
        self._faults_draw = random.Random(f"faults of {seed}")
        self._sweep_seconds = sweep_seconds
        self._base = f"http://{HOST}:{fleet.ports.tasks}"
        self._queues = f"{self._base}/v2/projects/{PROJECT}/locations/{LOCATION}/queues"
        self._purges = 0
        self._round: list[str] = []
        self._left_seconds = 0.0
        self._pause = threading.Event()
        #: What was done, by kind. Some of the planted faults end with the local cloud before a call meets them.
        self.done: Counter[str] = Counter()
        #: Requests to the processors.
        self.attempts = 0

    def lose_and_repeat_notifications(self) -> None:
        """Let the first letter of a name decide whether its upload has no notification, one, or two."""
        url = f"http://{HOST}:{self._fleet.ports.storage}/storage/v1/b/uploads/notificationConfigs"
        for one in answered(lambda: requests.get(url, timeout=10)).get("items", []):
            requests.delete(f"{url}/{one['id']}", timeout=10).raise_for_status()
        for letter in [one for one in LETTERS if one not in LOST] + list(TWICE):
            fields = {"topic": NOTIFICATION, "payload_format": "JSON_API_V1", "event_types": ["OBJECT_FINALIZE"]}
            requests.post(url, json=fields | {"object_name_prefix": letter}, timeout=10).raise_for_status()

    @contextmanager
    def blowing(self) -> Iterator[None]:
        """Cut connections and refuse calls meanwhile."""
        with _meanwhile(self._plant_faults):
            yield
        answered(lambda: requests.delete(self._base + FAULTS_PATH, timeout=10))

    @contextmanager
    def sweeping(self) -> Iterator[None]:
        """Sweep meanwhile."""
        with _meanwhile(self._sweep):
            yield

    def wait(self) -> None:
        """Wait until shortly before the next kill: files that are sent now are in work then."""
        self._left_seconds = self._draw.uniform(0, WORK_SECONDS)
        self._pause.wait(self._draw.triangular(SHORTEST_SECONDS, LONGEST_SECONDS, SHORTEST_SECONDS) - self._left_seconds)

    def kill_one(self) -> None:
        """Kill the next component of a round in which each has its turn, and a processor, where the work is, has two."""
        self._pause.wait(self._left_seconds)
        if not self._round:
            names = list(self._fleet.components)
            names += [name for name in names if name.startswith("processor")]
            self._round = self._draw.sample(names, len(names))
        name = self._round.pop()
        self._fleet.wait(name)
        if name == CLOUD:
            self.count_calls()
        self._fleet.kill(name)

    def count_calls(self) -> None:
        """Add the counts of the local cloud, which end with it."""
        with suppress(requests.RequestException):
            rows = requests.delete(self._base + CALLS_PATH, timeout=10).json()
            sent = (row for row in rows if row["operation"] == "dispatch")
            self.attempts += sum(row["calls"] for row in sent if row["place"].rpartition("/")[2] in QUEUES)

    def pause(self) -> None:
        self._queue("texts", "pause")

    def resume(self) -> None:
        self._queue("texts", "resume")

    def hold(self) -> None:
        """Keep tasks in the queue that will be purged."""
        self._queue("bulk", "pause")

    def purge(self) -> None:
        """Lose all tasks of a queue. What a sweep had queued on this day, no other sweep of the day can queue again."""
        with suppress(AssertionError):  # then there is nothing to purge, and the count says so
            eventually(self._held, "a task to purge", seconds=PURGE_SECONDS, pause_seconds=0.2)
        self.done["purged tasks"] += self._held()
        self._queue("bulk", "purge")
        self._queue("bulk", "resume")
        self._purges += 1

    def configure(self) -> None:
        """Change an option of a step: components that are started from now on have another recipe."""
        text = self._fleet.pipeline.read_text()
        new = self._fleet.pipeline.with_suffix(".new")
        new.write_text(text.replace("max_pages = 100", "max_pages = 200"))
        assert new.read_text() != text
        new.replace(self._fleet.pipeline)
        self.done["configuration changes"] += 1

    def _held(self) -> int:
        return len(answered(lambda: requests.get(f"{self._queues}/bulk/tasks", timeout=10)).get("tasks", []))

    def _queue(self, name: str, action: str) -> None:
        answered(lambda: requests.post(f"{self._queues}/{name}:{action}", json={}, timeout=10))
        self.done[action] += 1

    def _sweep(self, has_ended: threading.Event) -> None:
        """Call the sweeper as Cloud Tasks does. Each purge is followed by the sweeps of another day."""
        while not has_ended.wait(self._sweep_seconds):
            with suppress(requests.RequestException):
                part = {"began": int(time.time()) + self._purges * DAY_SECONDS, "number": 0, "walk": "claims", "start": ""}
                headers = {"authorization": f"Bearer {self._fleet.id_token('tasks', self._fleet.url('sweeper'))}"}
                answer = requests.post(self._fleet.url("sweeper") + "/parts", json=part, headers=headers, timeout=300)
                self.done["sweeps" if answer.ok else f"sweeps answered {answer.status_code}"] += 1
                if answer.ok:
                    self.done["jobs queued by sweeps"] += answer.json()["queued"]

    def _plant_faults(self, has_ended: threading.Event) -> None:
        while not has_ended.wait(self._faults_draw.uniform(0, 2 * FAULT_SECONDS)):
            rule = _fault(self._faults_draw)
            with suppress(requests.RequestException):
                if not requests.get(self._base + FAULTS_PATH, timeout=10).json():  # else they pile up where calls are few
                    requests.post(self._base + FAULTS_PATH, json=rule, timeout=10).raise_for_status()
                    self.done[f"{rule['kind']} {rule['place']}"] += rule["left"]


@contextmanager
def _meanwhile(work: Callable[[threading.Event], None]) -> Iterator[None]:
    """Run this in a thread until the block ends."""
    has_ended = threading.Event()
    thread = threading.Thread(target=work, args=(has_ended,))
    thread.start()
    try:
        yield
    finally:
        has_ended.set()
        thread.join()


def _fault(draw: random.Random) -> dict[str, Any]:
    """A fault of a few calls to a service of the cloud."""
    rule: dict[str, Any] = {"place": draw.choice(["storage", "storage", "tasks", "pubsub"]), "left": draw.randint(1, 4)}
    if rule["place"] == "storage" and draw.random() < 0.5:  # often the object is there, and the answer is lost
        return rule | {"kind": "cut", "after_bytes": draw.randint(500, 6_000), "match": RESULTS}
    if draw.random() < 0.6:
        return rule | {"kind": "cut", "after_bytes": draw.choice([1, 100, 1_000, 4_000])}
    return rule | {"kind": "answer", "status": draw.choice([429, 500, 503])}
