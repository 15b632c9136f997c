"""From a topic to everyone who listens: what is published is kept once, and offered when it is safe on disk."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from localcloud.pubsub.data.store import Store
from localcloud.pubsub.delivery.topic import Topic


def send(store: Store, topic: Topic, request: Any) -> Sequence[int]:
    """Send the messages of a PublishRequest to subscriptions and archives; their ids. It is changed."""
    contents, archives = request.messages, topic.archives
    ids = store.next_ids(len(contents))
    wanted = [(listener, places) for listener in topic.subscriptions.values() if (places := listener.wanted(contents))]
    if not wanted and not archives:
        return ids
    if not archives:
        _drop_others(contents, [places for _, places in wanted])
    messages = store.add_batch(ids[0], request)
    for archive in archives:
        archive.add(messages)
    for listener, places in wanted:
        offered = [messages[place] for place in places]
        store.add_deliveries(listener.key, offered)
        store.journal.afterwards(partial(listener.offer, offered))
    return ids


def _drop_others(contents: Any, wanted: list[Sequence[int]]) -> None:
    """Empty the messages that nobody wants; the others keep their places."""
    if any(len(places) == len(contents) for places in wanted):
        return
    for place in set(range(len(contents))).difference(*wanted):
        contents[place].Clear()
