"""Load for Pub/Sub over gRPC. It does without Google's client library, whose own cost would hide the server's.

`python -m benchmarks.loads.pubsub HOST:PORT`
"""

import json
import queue
import random
import statistics
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import grpc
from google.cloud.pubsub_v1 import types

#: 30,000 in all: the memory figure is taken after that number.
WARM_UP, MESSAGES, LATENCIES = 3000, 26_500, 500
BATCH, CALLS_AT_ONCE, BYTES = 500, 4, 1024
PROJECT = "projects/local-project"


class Caller:
    """A channel with the methods that the load calls."""

    def __init__(self, address: str) -> None:
        self._channel = grpc.insecure_channel(address, options=[("grpc.max_receive_message_length", 32 << 20)])
        grpc.channel_ready_future(self._channel).result(timeout=30)
        self._create_topic = self._unary("Publisher/CreateTopic")
        self._create_subscription = self._unary("Subscriber/CreateSubscription")
        self.publish = self._unary("Publisher/Publish")
        self.acknowledge = self._unary("Subscriber/Acknowledge")
        self.streaming_pull: Any = self._channel.stream_stream(
            "/google.pubsub.v1.Subscriber/StreamingPull",
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=types.StreamingPullResponse.pb().FromString,
        )

    def create(self, name: str) -> None:
        """Create a topic and a subscription. Use each once: Google's emulator keeps sending to a stream that has ended."""
        topic, subscription = f"{PROJECT}/topics/{name}", f"{PROJECT}/subscriptions/{name}"
        self._create_topic(_packed(types.Topic, name=topic))
        self._create_subscription(_packed(types.Subscription, name=subscription, topic=topic, ack_deadline_seconds=60))

    def close(self) -> None:
        """Close the channel."""
        self._channel.close()

    def _unary(self, method: str) -> Any:
        # Bytes in, bytes out: requests are serialized beforehand, answers are not parsed.
        return self._channel.unary_unary(f"/google.pubsub.v1.{method}")


class Subscriber:
    """A streaming pull that acknowledges and counts messages."""

    def __init__(self, caller: Caller, name: str) -> None:
        self._caller = caller
        self._subscription = f"{PROJECT}/subscriptions/{name}"
        self._requests: queue.SimpleQueue[Any] = queue.SimpleQueue()
        first = types.StreamingPullRequest.pb()(
            subscription=self._subscription, stream_ack_deadline_seconds=60, max_outstanding_messages=1000
        )
        self._requests.put(first)
        #: gRPC cancels calls without a reference.
        self._acknowledging: list[Any] = []
        self._arrived = 0
        self._news = threading.Condition()
        self._stream = caller.streaming_pull(iter(self._requests.get, None))
        threading.Thread(target=self._receive, daemon=True).start()

    def wait_for(self, count: int) -> None:
        """Return when `count` more messages have arrived. Raises `TimeoutError`."""
        with self._news:
            if not self._news.wait_for(lambda: self._arrived >= count, timeout=60):
                raise TimeoutError(f"{self._arrived} messages of {count} have arrived")
            self._arrived -= count

    def close(self) -> None:
        """End the stream."""
        self._requests.put(None)
        self._stream.cancel()

    def _receive(self) -> None:
        try:
            for response in self._stream:
                ids = [received.ack_id for received in response.received_messages]
                with self._news:
                    self._arrived += len(ids)
                    self._news.notify()
                call = self._caller.acknowledge.future(
                    _packed(types.AcknowledgeRequest, subscription=self._subscription, ack_ids=ids)
                )
                self._acknowledging = [*(known for known in self._acknowledging if not known.done()), call]
        except grpc.RpcError:
            pass  # closed


def main() -> None:
    """Measure and print."""
    caller = Caller(sys.argv[1])
    for name in ("warm-up", "load", "latency"):
        caller.create(name)
    _publish(caller, "warm-up", WARM_UP)
    _pull(caller, "warm-up", WARM_UP)
    published = MESSAGES / _publish(caller, "load", MESSAGES)
    pulled = MESSAGES / _pull(caller, "load", MESSAGES)
    took = sorted(_latencies(caller, "latency"))
    caller.close()
    figures = {"publish_per_second": published, "pull_per_second": pulled}
    figures |= {"latency_ms_p50": statistics.median(took), "latency_ms_p99": took[int(len(took) * 0.99)]}
    print(json.dumps(figures))


def _publish(caller: Caller, name: str, count: int) -> float:
    """Seconds to publish that many messages in batches, several batches at a time."""
    request = _publish_request(name, BATCH)
    begun = time.monotonic()
    calls: list[Any] = []
    for _ in range(0, count, BATCH):
        if len(calls) == CALLS_AT_ONCE:
            calls.pop(0).result()
        calls.append(caller.publish.future(request))
    for call in calls:
        call.result()
    return time.monotonic() - begun


def _pull(caller: Caller, name: str, count: int) -> float:
    """Seconds from opening a streaming pull to the arrival of that many messages."""
    begun = time.monotonic()
    subscriber = Subscriber(caller, name)
    subscriber.wait_for(count)
    took = time.monotonic() - begun
    subscriber.close()
    return took


def _latencies(caller: Caller, name: str) -> Iterator[float]:
    """Milliseconds from before a publish to the message's arrival, one message at a time."""
    request, chance, pause = _publish_request(name, 1), random.Random(4), threading.Event()
    subscriber = Subscriber(caller, name)
    for _ in range(LATENCIES):
        pause.wait(chance.uniform(0, 0.02))  # not in step with a polling interval
        begun = time.monotonic()
        caller.publish(request)
        subscriber.wait_for(1)
        yield (time.monotonic() - begun) * 1000
    subscriber.close()


def _publish_request(name: str, count: int) -> bytes:
    data = random.Random(count).randbytes(BYTES)
    messages = [types.PubsubMessage.pb()(data=data) for _ in range(count)]
    return _packed(types.PublishRequest, topic=f"{PROJECT}/topics/{name}", messages=messages)


def _packed(message_type: Any, **fields: Any) -> bytes:
    return bytes(message_type.pb()(**fields).SerializeToString())


if __name__ == "__main__":
    main()
