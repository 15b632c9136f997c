"""The backlog of one subscription: leases, delays and ordering keys, without a clock."""

from itertools import count

from localcloud.pubsub.delivery.backlog import Backlog
from localcloud.pubsub.model import Batch, Consumer, Delivery, Message

_leases = count(1)


def backlog(*keys: str) -> Backlog:
    """Messages 1, 2, 3 … with these ordering keys."""
    filled = Backlog(is_ordered=True)
    for number, key in enumerate(keys, start=1):
        filled.add(Message(number, 10, key, Batch(number)))
    return filled


def take(source: Backlog, consumer: Consumer, limit: int = 100, deadline: float = 10.0) -> list[Delivery]:
    taken = source.take(consumer, limit, 1000)
    for delivery in taken:
        delivery.lease, delivery.deadline = next(_leases), deadline
        source.leases.add(delivery)
    return taken


def ids(deliveries: list[Delivery]) -> list[int]:
    return [delivery.message.id for delivery in deliveries]


def test_messages_without_a_key_arrive_in_publish_order() -> None:
    source = backlog("", "", "")

    assert ids(take(source, Consumer(), 2)) == [1, 2]
    assert ids(take(source, Consumer())) == [3]


def test_flow_control_limits_messages_and_bytes() -> None:
    source = backlog(*[""] * 10)
    by_number, by_bytes = Consumer(max_messages=3), Consumer(max_bytes=15)

    assert ids(take(source, by_number)) == [1, 2, 3]
    assert ids(take(source, by_bytes)) == [4, 5]
    assert not take(source, by_number)
    source.acknowledge(1)
    assert ids(take(source, by_number)) == [6]


def test_an_answer_is_limited_in_bytes_but_never_empty() -> None:
    source = Backlog(is_ordered=False)
    source.add(Message(1, 5000, "", Batch(1)))
    source.add(Message(2, 10, "", Batch(2)))

    assert ids(source.take(Consumer(), 100, 1000)) == [1]


def test_a_lease_ends_after_its_deadline_and_an_extension_moves_it() -> None:
    source = backlog("", "")
    first, second = take(source, Consumer(), deadline=10.0)
    source.leases.discard(second)
    second.deadline = 20.5
    source.leases.add(second)

    assert source.leases.expired(9.9) == []
    assert source.leases.expired(10.0) == [first]
    assert source.next_due() == 10.0
    source.acknowledge(1)
    assert source.next_due() == 21.0


def test_a_returned_message_waits_until_it_is_due() -> None:
    source = backlog("")
    [delivery] = take(source, Consumer())
    source.give_back(delivery, due=5.0, now=0.0)

    assert not take(source, Consumer())
    source.mature(5.0)
    assert ids(take(source, Consumer())) == [1]


def test_a_message_acknowledged_while_it_waits_is_not_delivered() -> None:
    source = backlog("", "a", "a")
    for number in (1, 2):
        assert source.acknowledge(number)

    assert source.acknowledge(1) is None
    assert ids(take(source, Consumer())) == [3]


def test_a_key_belongs_to_its_holder_until_its_messages_are_acknowledged() -> None:
    source = backlog("a", "a", "b")
    holder, other = Consumer(), Consumer()

    assert ids(take(source, holder, 1)) == [1]
    assert ids(take(source, other)) == [3]
    assert ids(take(source, holder)) == [2]
    source.add(Message(4, 10, "a", Batch(4)))
    assert not take(source, other)
    assert ids(take(source, holder)) == [4]
    for number in (1, 2, 4):
        source.acknowledge(number)
    source.add(Message(5, 10, "a", Batch(5)))
    assert ids(take(source, other)) == [5]


def test_returning_a_message_returns_all_later_ones_of_its_key() -> None:
    source = backlog("a", "a", "a")
    _, second, _ = take(source, Consumer())
    source.give_back(second, due=0.0, now=0.0)
    source.acknowledge(1)

    assert ids(take(source, Consumer())) == [2, 3]


def test_a_delay_applies_to_the_whole_key() -> None:
    source = backlog("a", "a", "b")
    first, *_ = take(source, Consumer(), 1)
    source.give_back(first, due=5.0, now=0.0)
    source.add(Message(4, 10, "a", Batch(4)))

    assert ids(take(source, Consumer())) == [3]
    source.mature(5.0)
    assert ids(take(source, Consumer())) == [1, 2, 4]


def test_the_later_of_two_delays_of_a_key_counts() -> None:
    for dues in ((3.0, 4.0), (4.0, 3.0)):
        source = backlog("a", "a")
        first, second = take(source, Consumer())
        source.give_back(second, due=dues[0], now=0.0)
        source.give_back(first, due=dues[1], now=1.0)

        source.mature(3.0)
        assert not take(source, Consumer())
        source.mature(4.0)
        assert ids(take(source, Consumer())) == [1, 2]


def test_a_serial_consumer_gets_one_message_of_a_key_at_a_time() -> None:
    source = backlog("a", "a", "b", "b")
    pusher = Consumer(is_serial=True)

    assert ids(take(source, pusher)) == [1, 3]
    source.acknowledge(3)
    assert ids(take(source, pusher)) == [4]
    source.acknowledge(1)
    assert ids(take(source, pusher)) == [2]


def test_a_key_survives_its_holder() -> None:
    source = backlog("a", "a")
    [first] = take(source, Consumer(), 1)
    source.give_back(first, due=0.0, now=0.0)

    assert ids(take(source, Consumer())) == [1, 2]
