"""Reads the evidence: pulls the subscription all the time, and reads the results bucket in the end."""

import base64
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime
from typing import Any
from urllib.parse import quote

import requests

from localcloud.address import PROJECT
from tests.chaos.evidence import Stored, Told
from tests.eventually import eventually

SECONDS = 60
READERS = 6


def answered(send: Callable[[], requests.Response]) -> Any:
    """The JSON of the first good answer; components restart meanwhile. Raises AssertionError after a minute."""

    def look() -> tuple[Any] | None:
        with suppress(requests.RequestException):
            answer = send()
            if answer.ok:
                return (answer.json() if answer.content else None,)
        return None

    (found,) = eventually(look, "a good answer", seconds=SECONDS, pause_seconds=0.1)
    return found


class Subscriber:
    """Pulls all notices, and keeps each distinct one with its first time."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        base = environment["CLOUDSDK_API_ENDPOINT_OVERRIDES_PUBSUB"]
        self._url = f"{base}v1/projects/{PROJECT}/subscriptions/completions"
        self._told: dict[tuple[object, ...], Told] = {}
        self.ids: set[str] = set()
        self.count = 0
        self._has_ended = threading.Event()
        self._thread = threading.Thread(target=self._pull)
        self._thread.start()

    def told(self) -> list[Told]:
        return list(self._told.values())

    def jobs(self, verdict: str) -> set[str]:
        """The ids of the jobs that ended so."""
        return {
            one.id for one in self.told() if one.attributes["verdict"] == verdict and one.id == one.attributes["ce-subject"]
        }

    def close(self) -> None:
        self._has_ended.set()
        self._thread.join()

    def _pull(self) -> None:
        with requests.Session() as session:
            session.trust_env = False
            while not self._has_ended.wait(0.05):
                with suppress(requests.RequestException):
                    self._pull_once(session)

    def _pull_once(self, session: requests.Session) -> None:
        wanted = {"maxMessages": 500, "returnImmediately": True}
        answer = session.post(f"{self._url}:pull", json=wanted, timeout=10)
        received = answer.json().get("receivedMessages", []) if answer.ok else []
        for message in (one["message"] for one in received):
            self._keep(Told(message["attributes"], base64.b64decode(message["data"]), _seconds(message["publishTime"])))
        if received:
            session.post(f"{self._url}:acknowledge", json={"ackIds": [one["ackId"] for one in received]}, timeout=10)

    def _keep(self, told: Told) -> None:
        content = (told.data, *sorted(told.attributes.items()))
        self.count += 1
        if content not in self._told or told.published < self._told[content].published:
            self._told[content] = told
        self.ids.add(told.id)


class Results:
    """The results bucket, with the earlier versions of its objects."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._url = f"{environment['STORAGE_EMULATOR_HOST']}/storage/v1/b/results"
        self._session = requests.Session()
        self._session.trust_env = False

    def keep_versions(self) -> None:
        """From now on keep what is overwritten or deleted, so that it shows."""
        answered(lambda: self._session.patch(self._url, json={"versioning": {"enabled": True}}, timeout=10))

    def ended(self) -> set[str]:
        """The ids of the jobs that have an index entry."""
        return {one["name"].rpartition("/")[2].partition("-")[2] for one in self._list("index/")}

    def read(self) -> list[Stored]:
        """Every version of every object, with its bytes."""
        with ThreadPoolExecutor(READERS) as pool:
            return list(pool.map(self._stored, self._list("")))

    def _list(self, prefix: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        wanted = {"prefix": prefix, "versions": "true"}
        while True:
            page = answered(lambda: self._session.get(f"{self._url}/o", params=wanted, timeout=60))
            found += page.get("items", [])
            if "nextPageToken" not in page:
                return found
            wanted["pageToken"] = page["nextPageToken"]

    def _stored(self, item: dict[str, Any]) -> Stored:
        data = self._data(item) if int(item["size"]) else b""
        created, is_live = _seconds(item["timeCreated"]), "timeDeleted" not in item
        return Stored(item["name"], int(item["metageneration"]), item["crc32c"], created, is_live, data)

    def _data(self, item: dict[str, Any]) -> bytes:
        url = f"{self._url}/o/{quote(item['name'], safe='')}?alt=media&generation={item['generation']}"
        answer = eventually(lambda: self._get(url), item["name"], seconds=SECONDS, pause_seconds=0.1)
        return answer.content

    def _get(self, url: str) -> requests.Response | None:
        with suppress(requests.RequestException):
            answer = self._session.get(url, timeout=30)
            return answer if answer.ok else None
        return None


def _seconds(time: str) -> float:
    return datetime.fromisoformat(time).timestamp()
