"""The service in a thread, and Google's clients connected to it."""

import contextlib
import queue
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
from google.cloud import pubsub_v1
from google.pubsub_v1 import PublisherClient as PublisherApi
from google.pubsub_v1 import PubsubMessage, PullRequest
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport

from localcloud.clock import Clock
from localcloud.pubsub import PubSub
from localcloud.server import HttpServer
from tests.eventually import eventually
from tests.localcloud.target import PATIENCE_SECONDS
from tests.localcloud.world import ServiceThread
from tests.ports import free_port

PROJECT = "projects/local-project"


class Clients:
    """Google's clients of the service on a gRPC port, over a channel as these clients make it for an emulator."""

    def __init__(self, grpc_port: int, *options: tuple[str, int]) -> None:
        self.channel = grpc.insecure_channel(f"127.0.0.1:{grpc_port}", options)
        self.publisher = pubsub_v1.PublisherClient(transport=PublisherGrpcTransport(channel=self.channel))
        self.subscriber = pubsub_v1.SubscriberClient(transport=SubscriberGrpcTransport(channel=self.channel))

    def disconnect(self) -> None:
        """Close the channel."""
        self.publisher.stop()
        self.channel.close()

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

        eventually(enough, f"{count} messages", seconds=seconds)
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
def connected(grpc_port: int, *options: tuple[str, int]) -> Iterator[Clients]:
    """Clients, disconnected at the end."""
    clients = Clients(grpc_port, *options)
    try:
        yield clients
    finally:
        clients.disconnect()


class World(ServiceThread, Clients):
    """Pub/Sub and its clients."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        ServiceThread.__init__(self, folder, clock)
        self.grpc_port = free_port()
        Clients.__init__(self, self.grpc_port)

    def stop(self) -> None:
        """Disconnect the clients, stop the service and end the thread."""
        self.disconnect()
        super().stop()

    def publish_inside(self, topic: str, data: bytes, attributes: dict[str, str]) -> str:
        """Publish in the process of the service, as Cloud Storage's notifications do."""
        return self.run(self.service.publish(topic, data, attributes))

    async def _start(self) -> None:
        self.service = PubSub(self.folder / "pubsub", self.clock, self.accounts)
        self._grpc, self._rest = await open_ports(self.service, self.grpc_port, self.port)

    async def _stop(self) -> None:
        await self.service.stop()
        await self._grpc.stop(grace=0)
        await self._rest.stop()


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
