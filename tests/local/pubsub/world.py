"""What the tests of Pub/Sub need around them: the service in a thread, its real clients, and an endpoint to push to."""

import asyncio
import contextlib
import http.server
import json
import queue
import socket
import threading
import time
from base64 import b64decode
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import grpc
from google.cloud import pubsub_v1
from google.pubsub_v1 import PublisherClient as PublisherApi
from google.pubsub_v1 import PubsubMessage, PullRequest
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport

from local.accounts import Accounts
from local.clock import Clock, TurnedClock
from local.pubsub import PubSub
from local.server import HttpServer

PROJECT = "projects/local-project"
PATIENCE_SECONDS = 10.0

T = TypeVar("T")


def wait_for(found: Callable[[], T], what: str) -> T:
    """The first true result; fails when there is none for a while."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    pause = threading.Event()
    while not (result := found()):
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        pause.wait(0.005)
    return result


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Clients:
    """Google's clients, connected to the local service."""

    publisher: pubsub_v1.PublisherClient
    subscriber: pubsub_v1.SubscriberClient
    channel: grpc.Channel

    def topic(self, id_: str) -> str:
        """Create a topic; its full name."""
        return str(self.publisher.create_topic(name=f"{PROJECT}/topics/{id_}").name)

    def subscription(self, id_: str, topic: str, **settings: Any) -> str:
        """Create a subscription; its full name."""
        name = f"{PROJECT}/subscriptions/{id_}"
        return str(self.subscriber.create_subscription(request={"name": name, "topic": topic, **settings}).name)

    def publish(self, topic: str, data: bytes, ordering_key: str = "", **attributes: str) -> str:
        """Publish one message; its id."""
        message = PubsubMessage(data=data, attributes=attributes, ordering_key=ordering_key)
        # The generated method: `publish` itself collects batches, for which tests would have to wait.
        return str(PublisherApi.publish(self.publisher, topic=topic, messages=[message]).message_ids[0])

    def pull(self, subscription: str, max_messages: int = 100, *, now: bool = False) -> list[Any]:
        """What is there, or comes within a few seconds; `now` does not wait."""
        request = PullRequest(subscription=subscription, max_messages=max_messages, return_immediately=now)
        # Below the client, which warns of `return_immediately`.
        return list(self.subscriber.transport.pull(request).received_messages)

    def pull_all(self, subscription: str, count: int) -> list[Any]:
        """So many messages, in as many pulls as it takes."""
        received: list[Any] = []

        def enough() -> bool:
            received.extend(self.pull(subscription))
            return len(received) >= count

        wait_for(enough, f"{count} messages")
        return received

    def ack(self, subscription: str, received: list[Any]) -> None:
        """Acknowledge them."""
        self.subscriber.acknowledge(subscription=subscription, ack_ids=[each.ack_id for each in received])

    def nack(self, subscription: str, received: list[Any]) -> None:
        """Give them back."""
        self.extend(subscription, received, 0)

    def extend(self, subscription: str, received: list[Any], seconds: int) -> None:
        """Set their deadline to so many seconds from now."""
        ids = [each.ack_id for each in received]
        self.subscriber.modify_ack_deadline(subscription=subscription, ack_ids=ids, ack_deadline_seconds=seconds)


@contextlib.contextmanager
def connected(port: int) -> Iterator[Clients]:
    """Clients of the service on that gRPC port."""
    channel = grpc.insecure_channel(f"127.0.0.1:{port}", [("grpc.max_receive_message_length", -1)])
    publisher = pubsub_v1.PublisherClient(transport=PublisherGrpcTransport(channel=channel))
    subscriber = pubsub_v1.SubscriberClient(transport=SubscriberGrpcTransport(channel=channel))
    try:
        yield Clients(publisher, subscriber, channel)
    finally:
        publisher.stop()
        channel.close()


@dataclass
class World(Clients):
    """The running service: where it listens, its clock, its accounts and its clients."""

    port: int
    grpc_port: int
    clock: Clock
    accounts: Accounts
    loop: asyncio.AbstractEventLoop
    service: PubSub

    def turn(self, seconds: float) -> None:
        """Let time pass, for a world that has a turned clock."""
        assert isinstance(self.clock, TurnedClock)
        asyncio.run_coroutine_threadsafe(self.clock.turn(seconds), self.loop).result(PATIENCE_SECONDS)

    def publish_inside(self, topic: str, data: bytes, attributes: dict[str, str]) -> str:
        """Publish as the storage service does, in the same process."""
        work = self.service.publish(topic, data, attributes)
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(PATIENCE_SECONDS)

    def clear(self) -> None:
        """Delete everything."""
        for subscription in self.subscriber.list_subscriptions(project=PROJECT):
            self.subscriber.delete_subscription(subscription=subscription.name)
        for topic in self.publisher.list_topics(project=PROJECT):
            self.publisher.delete_topic(topic=topic.name)


async def open_ports(service: PubSub, grpc_port: int, port: int) -> tuple[grpc.aio.Server, HttpServer]:
    """Serve on both ports in this event loop."""
    server = grpc.aio.server(options=[("grpc.max_receive_message_length", 32 << 20)])
    server.add_generic_rpc_handlers(service.grpc_handlers())
    server.add_insecure_port(f"127.0.0.1:{grpc_port}")
    await server.start()
    rest = HttpServer(service.app, port, "Pub/Sub REST")
    await rest.start()
    await service.start()
    return server, rest


@contextlib.contextmanager
def running(data: Path, clock: Clock) -> Iterator[World]:
    """The service with its files under `data`, in a thread with a loop of its own."""
    loop, grpc_port, port = asyncio.new_event_loop(), free_port(), free_port()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    accounts = Accounts(data / "keys", "local-project", f"http://127.0.0.1:{port}", clock)

    async def start() -> tuple[PubSub, grpc.aio.Server, HttpServer]:
        service = PubSub(data / "pubsub", clock, accounts)
        return service, *await open_ports(service, grpc_port, port)

    async def stop(service: PubSub, server: grpc.aio.Server, rest: HttpServer) -> None:
        await service.stop()
        await server.stop(grace=0)
        await rest.stop()

    started = asyncio.run_coroutine_threadsafe(start(), loop).result(PATIENCE_SECONDS)
    try:
        with connected(grpc_port) as clients:
            parts = clients.publisher, clients.subscriber, clients.channel
            yield World(*parts, port, grpc_port, clock, accounts, loop, started[0])
    finally:
        asyncio.run_coroutine_threadsafe(stop(*started), loop).result(PATIENCE_SECONDS)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@dataclass
class Pushed:
    """A request that reached the endpoint."""

    headers: dict[str, str]
    body: bytes

    @property
    def envelope(self) -> Any:
        """The JSON around a wrapped message."""
        return json.loads(self.body)

    @property
    def data(self) -> bytes:
        """The data of a wrapped message."""
        return b64decode(self.envelope["message"]["data"])


@dataclass
class Endpoint:
    """An HTTP server that answers as told: `replies` one by one, then `status`."""

    url: str = ""
    status: int = 204
    replies: list[int] = field(default_factory=list)
    received: list[Pushed] = field(default_factory=list)
    most_at_once: int = 0
    #: Closed: requests are held until it opens.
    gate: threading.Event = field(default_factory=threading.Event)
    _now: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def wait_for(self, count: int) -> list[Pushed]:
        """All requests, once there are so many."""
        return wait_for(lambda: list(self.received) if len(self.received) >= count else [], f"{count} pushes")

    def answer(self, request: Pushed) -> int:
        """Note the request and choose its answer."""
        with self._lock:
            self.received.append(request)
            self._now += 1
            self.most_at_once = max(self.most_at_once, self._now)
            status = self.replies.pop(0) if self.replies else self.status
        self.gate.wait(PATIENCE_SECONDS)
        with self._lock:
            self._now -= 1
        return status


@contextlib.contextmanager
def listening() -> Iterator[Endpoint]:
    """An endpoint on a port of its own."""
    endpoint = Endpoint()
    endpoint.gate.set()

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"] or 0))
            status = endpoint.answer(Pushed({name.lower(): value for name, value in self.headers.items()}, body))
            with contextlib.suppress(OSError):  # the caller may have given up
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    endpoint.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield endpoint
    finally:
        endpoint.gate.set()
        server.shutdown()
        thread.join()
        server.server_close()


@contextlib.contextmanager
def subscribed(world: Clients, subscription: str, callback: Callable[[Any], None], **settings: Any) -> Iterator[None]:
    """A streaming pull as people write it, ended in good order."""
    future = world.subscriber.subscribe(subscription, callback, await_callbacks_on_shutdown=True, **settings)
    try:
        yield
    finally:
        future.cancel()
        with contextlib.suppress(Exception):
            future.result(PATIENCE_SECONDS)


def collector() -> tuple["queue.Queue[Any]", Callable[[Any], None]]:
    """A queue, and a callback that acknowledges messages into it."""
    received: queue.Queue[Any] = queue.Queue()

    def callback(message: Any) -> None:
        message.ack()
        received.put(message)

    return received, callback
