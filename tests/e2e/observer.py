"""Reads lists, statuses and notices all the time while files are in work, and holds them against each other."""

import json
import random
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import requests

from shared.cloud.protocols import Cloud
from shared.errors import Transient
from shared.index import PROCESSING, Entry, State
from shared.operations import listing
from shared.operations.listing import Query
from tests.e2e.agreement import Agreement
from tests.e2e.conftest import Notices

#: Statuses that are read between two lists.
SAMPLE = 4
#: Missing files of one list for which the other answers are read.
EXPLAINED = 2
PAUSE_SECONDS = 0.05  # else it would take half of a small machine
PAGES = 3
STATES: Sequence[State] = ("partial", "failed", "succeeded", PROCESSING)


class Observer:
    """A thread that observes the files in `names`, each added once its upload was accepted."""

    def __init__(self, cloud: Cloud, status_url: str, notices: Notices) -> None:
        self.agreement = Agreement()
        self.names: list[str] = []
        #: Reads by kind and outcome.
        self.counts: Counter[str] = Counter()
        self._cloud, self._status_url, self._notices = cloud, status_url, notices
        self._session = requests.Session()
        self._session.trust_env = False
        self._etags: dict[str, tuple[str, Any]] = {}
        self._random = random.Random(9)
        self._error: BaseException | None = None
        self._has_ended = threading.Event()
        self._thread = threading.Thread(target=self._observe)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._has_ended.set()
        self._thread.join(timeout=150)  # Google's client may wait for two minutes
        self._session.close()
        assert not self._thread.is_alive(), "the observer waits for an answer"
        if self._error and not error:
            raise self._error

    def _observe(self) -> None:
        try:
            while not self._has_ended.wait(PAUSE_SECONDS):
                self._look()
        except BaseException as error:
            self._error = error

    def _look(self) -> None:
        """The notices so far, one list, and then the statuses of some files."""
        for message in self._notices.arrived():
            content = (message.data, *sorted(message.attributes.items()))
            self.agreement.noticed(message.attributes["ce-id"], json.loads(message.data), content)
            self.counts["notices"] += 1
        self._look_at_list()
        for name in self._random.sample(self.names, min(SAMPLE, len(self.names))):
            self._look_at(name)

    def _look_at_list(self) -> None:
        query = self._random.choice([Query(), Query((self._random.choice(STATES),))])
        try:
            jobs = list(self._list(query))
        except Transient:
            self.counts["outages of lists"] += 1
        else:
            missing = self.agreement.listed(jobs, query)
            self.agreement.faults += map(self._said_of, missing[:EXPLAINED])
            self.counts["lists"] += 1

    def _list(self, query: Query) -> Iterator[Entry]:
        limit = self._random.choice([1 + len(self.names) // PAGES, listing.MAX_PAGE])
        page = listing.page(query, self._cloud, limit)
        yield from page.jobs
        while page.next:
            page = listing.page(query, self._cloud, limit, page.next)
            yield from page.jobs

    def _said_of(self, job_id: str) -> str:
        """The status, tasks and objects of a file that a list misses, read just after that list."""
        try:
            answer = self._session.get(f"{self._status_url}/jobs/{job_id}", timeout=10)
            queued = ((queue, *one) for queue in self._cloud.routes.queues for one in self._cloud.queue.tasks(queue))
            tasks = [f"{queue}: {state}" for queue, task, state in queued if task.run.job_id.startswith(job_id)]
            names = [*self._cloud.results.names("index/"), *self._cloud.results.names(f"jobs/{job_id.replace('-', '/')}/")]
        except (requests.RequestException, Transient) as error:
            return f"{job_id} just after: {error!r}"
        objects = [name for name in names if job_id in name or name.startswith("jobs/")]
        return f"{job_id} just after: status {_brief(answer)}; tasks {tasks}; objects {objects}"

    def _look_at(self, name: str) -> None:
        etag, known = self._etags.get(name, ("", None))
        url = f"{self._status_url}/objects/{quote(name)}"
        try:
            answer = self._session.get(url, headers={"If-None-Match": etag} if etag else {}, timeout=10)
        except requests.RequestException:
            self.counts["outages of the status"] += 1
            return
        self.counts[f"status {answer.status_code}"] += 1
        if answer.status_code == 200:
            known = answer.json()
            self._etags[name] = answer.headers["ETag"], known
        elif answer.status_code != 304:
            if answer.status_code != 503:
                self.agreement.faults.append(f"status: {answer.status_code} for {name}, which was uploaded")
            return
        self.agreement.status(known)


def _brief(answer: requests.Response) -> str:
    """The run and its state, and the verdict or state of each step."""
    if not answer.ok:
        return f"{answer.status_code} {answer.text}"
    body = answer.json()
    return f"run {body['run']} {body['state']} {[one.get('verdict', one['state']) for one in body['steps']]}"
