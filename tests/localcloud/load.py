"""Google's clients under load, which retry every failure, and a ledger of the acknowledgements they got."""

import io
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from random import Random
from typing import Any, TypeVar

import grpc
import requests
from google.api_core import exceptions
from google.api_core.client_options import ClientOptions
from google.api_core.retry import Retry, if_exception_type
from google.auth.credentials import AnonymousCredentials
from google.cloud import tasks_v2
from google.cloud.pubsub_v1 import PublisherClient, SubscriberClient
from google.cloud.pubsub_v1.subscriber.futures import Future
from google.cloud.pubsub_v1.subscriber.message import Message
from google.cloud.pubsub_v1.types import FlowControl
from google.cloud.storage import Client
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport
from google.resumable_media import InvalidResponse
from google.resumable_media.common import RetryStrategy
from google.resumable_media.requests import ResumableUpload

from tests.machine import variables

PROJECT = "projects/local-project"
TOPIC, SUBSCRIPTION = f"{PROJECT}/topics/load", f"{PROJECT}/subscriptions/load"
QUEUE = f"{PROJECT}/locations/us-central1/queues/load"
BUCKET = "load"
#: Leases are shorter than the test: a message that is not acknowledged in time is delivered again.
FLOW = FlowControl(max_messages=1000, min_duration_per_lease_extension=10, max_duration_per_lease_extension=10)
#: Pause between two requests of a client: it leaves time to the others, and limits the state to compare in the end.
PAUSE_SECONDS = 0.01
#: The publisher waits for the subscriber when it is this many messages ahead.
MOST_AHEAD = 1000
#: Google's publisher pauses for up to a minute after an outage of some seconds.
SOON = Retry(if_exception_type(exceptions.GoogleAPICallError), initial=0.1, maximum=1, timeout=600)
CHUNK_BYTES, BIG_BYTES = 256 << 10, 3 << 20

Found = TypeVar("Found")
_FAILURES = (OSError, exceptions.GoogleAPIError, InvalidResponse)


@dataclass
class Ledger:
    """Acknowledged writes and received messages. Each collection has one writing thread, except the counters."""

    uploads: dict[str, bytes] = field(default_factory=dict)
    resumed: int = 0
    shrunk: list[str] = field(default_factory=list)
    tasks: set[str] = field(default_factory=set)
    published: set[str] = field(default_factory=set)
    received: Counter[str] = field(default_factory=Counter)
    #: Messages whose acknowledgement was confirmed, and those of them that were delivered again.
    confirmed: set[str] = field(default_factory=set)
    returned: list[str] = field(default_factory=list)
    #: Messages whose acknowledgement was in flight at a kill and refused afterwards: it may have been stored before.
    unsure: set[str] = field(default_factory=set)
    kills: int = 0

    def sizes(self) -> tuple[int, ...]:
        """The numbers of acknowledged uploads, tasks and messages."""
        return len(self.uploads), len(self.tasks), len(self.published)


class Clients:
    """One client of each kind, for the addresses in `environment`."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        with variables(environment):
            self.storage = Client(project="local-project")
        address = environment["PUBSUB_EMULATOR_HOST"]
        self.publisher = PublisherClient(transport=PublisherGrpcTransport(channel=_channel(address)))
        self.subscriber = SubscriberClient(transport=SubscriberGrpcTransport(channel=_channel(address)))
        options = ClientOptions(api_endpoint=environment["CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDTASKS"].rstrip("/"))
        self.tasks = tasks_v2.CloudTasksClient(transport="rest", credentials=AnonymousCredentials(), client_options=options)
        self.upload_url = f"{environment['STORAGE_EMULATOR_HOST']}/upload/storage/v1/b/{BUCKET}/o?uploadType=resumable"

    def prepare(self) -> None:
        """Create the resources of the load."""
        self.storage.create_bucket(BUCKET)
        self.publisher.create_topic(name=TOPIC)
        subscription = {"name": SUBSCRIPTION, "topic": TOPIC, "enable_exactly_once_delivery": True, "ack_deadline_seconds": 10}
        self.subscriber.create_subscription(request=subscription)
        self.tasks.create_queue(parent=QUEUE.rpartition("/queues/")[0], queue=tasks_v2.Queue(name=QUEUE))

    def close(self) -> None:
        """Close every connection."""
        self.storage.close()
        self.publisher.stop()
        self.publisher.transport.close()
        self.subscriber.close()
        self.tasks.transport.close()


def _channel(address: str) -> grpc.Channel:
    """A channel that reconnects within 200 ms; gRPC's default backoff grows to two minutes."""
    return grpc.insecure_channel(address, [("grpc.initial_reconnect_backoff_ms", 100), ("grpc.max_reconnect_backoff_ms", 200)])


class Load:
    """The running clients, each in its own thread, until `stop`."""

    def __init__(self, clients: Clients, target_url: str, seed: int) -> None:
        self.ledger = Ledger()
        self._clients = clients
        self._target_url = target_url
        self._chance = Random(seed)
        self._stopped = threading.Event()
        self._threads = [threading.Thread(target=self._repeat, args=(work,)) for work in self._works()]

    def start(self) -> None:
        """Begin."""
        self._pull = self._clients.subscriber.subscribe(SUBSCRIPTION, self._receive, FLOW)
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Start no more requests; return when those in flight are acknowledged. The subscriber continues."""
        self._stopped.set()
        for thread in self._threads:
            thread.join()

    def stop_receiving(self) -> None:
        """End the streaming pull."""
        self._pull.cancel()
        self._pull.result()

    def _works(self) -> tuple[Callable[[int], None], ...]:
        return self._upload, self._upload_in_chunks, self._publish, self._create_task

    def _repeat(self, work: Callable[[int], None]) -> None:
        number = 0
        while not self._stopped.wait(PAUSE_SECONDS):
            work(number)
            number += 1

    def _upload(self, number: int) -> None:
        name = f"small/{number}"
        data = name.encode() * 20
        blob = self._clients.storage.bucket(BUCKET).blob(name)
        insist(lambda: blob.upload_from_string(data, retry=None, timeout=10))
        self.ledger.uploads[name] = data

    def _upload_in_chunks(self, number: int) -> None:
        name, data = f"big/{number}", self._chance.randbytes(BIG_BYTES)
        with requests.Session() as session:
            upload = insist(lambda: self._session_for(session, name, data))
            kept = 0
            while not upload.finished:
                try:
                    upload.transmit_next_chunk(session, timeout=10)
                    kept = upload.bytes_uploaded
                except _FAILURES:
                    if insist(lambda: _recovered(upload, session)):
                        break
                    self.ledger.resumed += 1
                    if upload.bytes_uploaded < kept:
                        self.ledger.shrunk.append(f"{name}: {upload.bytes_uploaded} of {kept} acknowledged bytes")
        self.ledger.uploads[name] = data

    def _session_for(self, session: requests.Session, name: str, data: bytes) -> ResumableUpload:
        upload = ResumableUpload(self._clients.upload_url, CHUNK_BYTES)
        upload._retry_strategy = RetryStrategy(max_retries=0)  # a failure is for us to see
        upload.initiate(session, io.BytesIO(data), {"name": name}, "application/octet-stream")
        return upload

    def _publish(self, number: int) -> None:
        if len(self.ledger.published) - len(self.ledger.confirmed) > MOST_AHEAD:
            return
        futures = [self._clients.publisher.publish(TOPIC, f"{number}/{part}".encode(), retry=SOON) for part in range(20)]
        for future in futures:
            self.ledger.published.add(future.result())

    def _create_task(self, number: int) -> None:
        id_ = f"task-{number}"
        task = tasks_v2.Task(name=f"{QUEUE}/tasks/{id_}", http_request={"url": self._target_url})
        with suppress(exceptions.Conflict):  # the acknowledgement was lost, not the task
            insist(lambda: self._clients.tasks.create_task(parent=QUEUE, task=task, timeout=10))
        self.ledger.tasks.add(id_)

    def _receive(self, message: Message) -> None:
        ledger, id_ = self.ledger, message.message_id
        if id_ in ledger.confirmed:
            ledger.returned.append(id_)
        ledger.received[id_] += 1
        kills = ledger.kills

        def confirm(answer: Future) -> None:
            if answer.exception() is None:  # else it comes again
                ledger.confirmed.add(id_)
            elif ledger.kills > kills:
                ledger.unsure.add(id_)

        message.ack_with_response().add_done_callback(confirm)


def insist(call: Callable[[], Found]) -> Found:
    """Call until it succeeds; a refusal is final."""
    pause = threading.Event()
    for _ in range(600):
        try:
            return call()
        except exceptions.Conflict:
            raise
        except _FAILURES as error:
            failure = error
            pause.wait(0.05)
    raise failure


def _recovered(upload: ResumableUpload, session: requests.Session) -> bool:
    """Query the stored size of the upload; True when it is complete."""
    try:
        upload.recover(session)
    except InvalidResponse as error:
        if error.response.status_code == 200:
            return True
        raise
    return False


@contextmanager
def loading(environment: Mapping[str, str], target_url: str, seed: int) -> Iterator[tuple[Load, Any]]:
    """The running clients; they are stopped in the end."""
    with ExitStack() as stack:
        clients = Clients(environment)
        stack.callback(clients.close)
        clients.prepare()
        load = Load(clients, target_url, seed)
        load.start()
        stack.callback(load.stop_receiving)
        stack.callback(load.stop)
        yield load, clients
