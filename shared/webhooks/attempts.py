"""A task of the notifier → one signed POST, and its end: delivered, again, paused, or given up."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from shared import log, manifest
from shared.cloud.protocols import Cloud
from shared.errors import Unavailable
from shared.manifest import Manifest
from shared.routes import Webhook
from shared.webhooks import addresses, envelopes, posting, signing
from shared.webhooks.addresses import Resolve
from shared.webhooks.deliveries import TEST, Delivery
from shared.webhooks.posting import Answer, Patience

#: A failed attempt after this long is the last one.
GIVE_UP_SECONDS = 3 * 24 * 3600
#: The receiver wants no more notices (Standard Webhooks).
GONE = 410


@dataclass(frozen=True, slots=True)
class World:
    """The time, and the resolver of names."""

    now: Callable[[], float] = time.time
    resolve: Resolve = addresses.resolve


@dataclass(frozen=True, slots=True)
class Ended:
    """How an attempt ended, as Cloud Tasks gets it: any status but 2xx has the task delivered again."""

    status: int
    state: str
    message: str
    headers: dict[str, str] = field(default_factory=dict)


def attempt(delivery: Delivery, cloud: Cloud, world: World | None = None) -> Ended:
    """Post the notice of this task to its webhook, once.

    Raises `Unavailable` where the webhook, its secret or the manifests cannot be read now.
    """
    world = world or World()
    log.bind(webhook=delivery.webhook, event=delivery.event)
    if delivery.kind != TEST:  # the id of an event begins with that of its job
        log.follow(delivery.event, "webhook", delivery.webhook, delivery.event)
    try:
        webhook = _webhook(delivery, cloud)
        keys = _keys(webhook, cloud)
    except Unavailable as error:
        if world.now() - delivery.since < GIVE_UP_SECONDS:
            raise
        return _given_up(error.message)
    body = _body(delivery, cloud)
    if body is None:
        return _given_up("its manifests are gone: no notice can be cut from them")
    headers = {"Content-Type": envelopes.CONTENT_TYPE, **signing.headers(delivery.event, body, keys, world.now())}
    loopback = cloud.settings.webhook_loopback
    answer = posting.post(webhook.url, body, headers, Patience(), loopback=loopback, resolve=world.resolve)
    return _judged(answer, delivery, cloud, world)


def _webhook(delivery: Delivery, cloud: Cloud) -> Webhook:
    found = cloud.routes.webhooks.get(delivery.webhook)
    if found is None:  # perhaps one of a newer release
        raise Unavailable(f"pipeline.toml of this release has no webhook {delivery.webhook[:80]}; add it, or delete its queue")
    return found


def _keys(webhook: Webhook, cloud: Cloud) -> list[str]:
    try:
        return signing.keys(webhook, cloud.settings)
    except Unavailable as error:  # perhaps it was mistyped in a rotation: after three days, its notices would be given up
        log.error("a webhook has no secret", error=error.message)
        raise


def _body(delivery: Delivery, cloud: Cloud) -> bytes | None:
    if delivery.kind == TEST:
        moment = datetime.fromtimestamp(delivery.since, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return envelopes.test(delivery, f"//storage.googleapis.com/{cloud.settings.uploads_bucket}", moment)
    texts = [cloud.results.read(name) for name in delivery.manifests]
    if None in texts:
        return None
    found = [manifest.read(json.loads(text)) for text in texts if text is not None]
    notice = envelopes.notice(delivery, [one for one in found if isinstance(one, Manifest)])
    return envelopes.body(notice) if notice else None


def _judged(answer: Answer, delivery: Delivery, cloud: Cloud, world: World) -> Ended:
    if 200 <= answer.status < 300:
        log.info("a webhook took a notice", answer=answer.words)
        return Ended(200, "delivered", answer.words)
    if answer.status == GONE:
        cloud.queue.pause(delivery.queue)
        log.error("a webhook is paused: its receiver answered 410", answer=answer.words)
        return Ended(502, "paused", answer.words)
    if world.now() - delivery.since >= GIVE_UP_SECONDS:
        return _given_up(answer.words)
    log.warning("a webhook did not take a notice; it gets it again", answer=answer.words)
    if answer.pause:
        return Ended(503, "failed", answer.words, {"retry-after": str(answer.pause)})
    return Ended(502, "failed", answer.words)


def _given_up(why: str) -> Ended:
    log.error("gave up a notice of a webhook", answer=why)
    return Ended(200, "given_up", why)
