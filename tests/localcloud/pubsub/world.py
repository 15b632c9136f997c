"""The service in a thread, and Google's clients connected to it."""

import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
from google.cloud import pubsub_v1
from google.pubsub_v1 import PublisherClient as PublisherApi
from google.pubsub_v1 import PubsubMessage, PullRequest
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport

from localcloud.accounts import Accounts
from localcloud.clock import Clock, TurnedClock
from localcloud.pubsub import PubSub
from localcloud.server import HttpServer
from tests.localcloud.target import PATIENCE_SECONDS, wait_for
from tests.ports import free_port

PROJECT = "projects/local-project"


@dataclass
class Clients:
    """Google's clients, connected to the local service."""

    publisher: pubsub_v1.PublisherClient
    subscriber: pubsub_v1.SubscriberClient
    channel: grpc.Channel

    def topic(self, id_: str) -> str:
        """Create a topic and return its full name."""
        return str(self.publisher.create_topic(name=f"{PROJECT}/topics/{id_}").name)

    def subscription(self, id_: str, topic: str, **settings: Any) -> str:
        """Create a subscription and return its full name."""
        name = f"{PROJECT}/subscriptions/{id_}"
        return str(self.subscriber.create_subscription(request={"name": name, "topic": topic, **settings}).name)

    def publish(self, topic: str, data: bytes, ordering_key: str = "", **attributes: str) -> str:
        """Publish one message and return its id."""
        message = PubsubMessage(data=data, attributes=attributes, ordering_key=ordering_key)
        # The generated method sends at once; the client's own `publish` waits to fill a batch.
        return str(PublisherApi.publish(self.publisher, topic=topic, messages=[message]).message_ids[0])

    def pull(self, subscription: str, max_messages: int = 100, *, now: bool = False) -> list[Any]:
        """Pull ready messages, or the first that arrive within a few seconds; `now` does not wait."""
        request = PullRequest(subscription=subscription, max_messages=max_messages, return_immediately=now)
        # The transport, because the client warns about `return_immediately`.
        return list(self.subscriber.transport.pull(request, timeout=PATIENCE_SECONDS).received_messages)

    def pull_all(self, subscription: str, count: int, seconds: float = PATIENCE_SECONDS) -> list[Any]:
        """Pull until `count` messages are received. Fails after `seconds`."""
        received: list[Any] = []

        def enough() -> bool:
            received.extend(self.pull(subscription, now=True))
            return len(received) >= count

        wait_for(enough, f"{count} messages", seconds)
        return received

    def ack(self, subscription: str, received: list[Any]) -> None:
        """Acknowledge messages."""
        self.subscriber.acknowledge(subscription=subscription, ack_ids=[each.ack_id for each in received])

    def nack(self, subscription: str, received: list[Any]) -> None:
        """Return messages for another delivery."""
        self.extend(subscription, received, 0)

    def extend(self, subscription: str, received: list[Any], seconds: int) -> None:
        """Set the messages' deadline to that many seconds from now."""
        ids = [each.ack_id for each in received]
        self.subscriber.modify_ack_deadline(subscription=subscription, ack_ids=ids, ack_deadline_seconds=seconds)

    def clear(self) -> None:
        """Delete all subscriptions, snapshots and topics."""
        for subscription in self.subscriber.list_subscriptions(project=PROJECT):
            self.subscriber.delete_subscription(subscription=subscription.name)
        for snapshot in self.subscriber.list_snapshots(project=PROJECT):
            self.subscriber.delete_snapshot(snapshot=snapshot.name)
        for topic in self.publisher.list_topics(project=PROJECT):
            self.publisher.delete_topic(topic=topic.name)


@contextlib.contextmanager
def connected(port: int, *options: tuple[str, int]) -> Iterator[Clients]:
    """Clients of the service on that gRPC port, with the channel that Google's clients use for an emulator."""
    channel = grpc.insecure_channel(f"127.0.0.1:{port}", options)
    publisher = pubsub_v1.PublisherClient(transport=PublisherGrpcTransport(channel=channel))
    subscriber = pubsub_v1.SubscriberClient(transport=SubscriberGrpcTransport(channel=channel))
    try:
        yield Clients(publisher, subscriber, channel)
    finally:
        publisher.stop()
        channel.close()


@dataclass
class World(Clients):
    """The running service: its ports, clock, accounts and clients."""

    port: int
    grpc_port: int
    clock: Clock
    accounts: Accounts
    loop: asyncio.AbstractEventLoop
    service: PubSub

    def turn(self, seconds: float) -> None:
        """Move the turned clock forward."""
        assert isinstance(self.clock, TurnedClock)
        asyncio.run_coroutine_threadsafe(self.clock.turn(seconds), self.loop).result(PATIENCE_SECONDS)

    def publish_inside(self, topic: str, data: bytes, attributes: dict[str, str]) -> str:
        """Publish in the process of the service, as Cloud Storage's notifications do."""
        work = self.service.publish(topic, data, attributes)
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(PATIENCE_SECONDS)


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
    """The service with its files under `data`, in a thread with its own event loop."""
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


@contextlib.contextmanager
def subscribed(world: Clients, subscription: str, callback: Callable[[Any], None], **settings: Any) -> Iterator[None]:
    """A streaming pull with the client's `subscribe`, cancelled and awaited at the end."""
    future = world.subscriber.subscribe(subscription, callback, await_callbacks_on_shutdown=True, **settings)
    try:
        yield
    finally:
        future.cancel()
        with contextlib.suppress(Exception):
            future.result(PATIENCE_SECONDS)


def collector() -> tuple["queue.Queue[Any]", Callable[[Any], None]]:
    """A queue, and a callback that acknowledges each message and puts it there."""
    received: queue.Queue[Any] = queue.Queue()

    def callback(message: Any) -> None:
        message.ack()
        received.put(message)

    return received, callback
