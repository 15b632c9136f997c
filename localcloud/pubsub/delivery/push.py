"""Push: one worker for each subscription with an endpoint POSTs its messages, many at a time."""

import asyncio
import logging
from typing import Any

import aiohttp

from localcloud.accounts import Accounts
from localcloud.calls import Calls
from localcloud.http import TARGET_KEEP_ALIVE_SECONDS
from localcloud.pubsub.delivery.push_http import ACCEPTED, Processing, PushRequest, PushResponse, push_request
from localcloud.pubsub.delivery.subscription import Subscription
from localcloud.pubsub.model import Consumer, Delivery
from localcloud.pubsub.rules.names import last

log = logging.getLogger(__name__)

START_WINDOW = 4
MAX_WINDOW = 1000


class Window:
    """Limit of concurrent pushes: a success adds one, a failure halves it (Pub/Sub: "Push subscriptions")."""

    def __init__(self) -> None:
        self.size = START_WINDOW

    def succeeded(self) -> None:
        """An endpoint accepted a message."""
        self.size = min(self.size + 1, MAX_WINDOW)

    def failed(self) -> None:
        """An endpoint refused a message or did not answer."""
        self.size = max(self.size // 2, 1)


class Pushers:
    """The workers of all push subscriptions, and the HTTP session that they share."""

    def __init__(self, accounts: Accounts, calls: Calls) -> None:
        self._accounts = accounts
        self._calls = calls
        self._session: aiohttp.ClientSession | None = None
        self._workers: dict[int, asyncio.Task[None]] = {}
        self._pushes: dict[Delivery, asyncio.Task[None]] = {}

    def start(self) -> None:
        """Open the HTTP session. `watch` starts no worker before."""
        connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=TARGET_KEEP_ALIVE_SECONDS)
        # The ack deadline is the only timeout; it is measured on the local cloud's clock.
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None),
            response_class=PushResponse,
        )

    async def stop(self) -> None:
        """Cancel all pushes. Their messages are pushed again after the next start."""
        tasks = [*self._workers.values(), *self._pushes.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._workers.clear()
        if self._session:
            await self._session.close()
            self._session = None

    def watch(self, subscription: Subscription) -> None:
        """Start or end the subscription's worker, according to its settings. Running pushes continue."""
        if self._session is None:
            return
        is_wanted = subscription.is_push and not (subscription.is_deleted or subscription.message.detached)
        worker = self._workers.get(subscription.key)
        if is_wanted and worker is None:
            self._workers[subscription.key] = asyncio.create_task(self._work(subscription))
        elif not is_wanted and worker:
            del self._workers[subscription.key]
            worker.cancel()

    async def _work(self, subscription: Subscription) -> None:
        window, consumer = Window(), Consumer(is_serial=True, on_expired=self._time_out)
        subscription.consumers.append(consumer)
        try:
            while True:
                consumer.wake.clear()
                consumer.max_messages = window.size
                lease_seconds = subscription.message.ack_deadline_seconds
                for delivery in subscription.take(consumer, window.size, lease_seconds):
                    self._launch(subscription, delivery, window)
                await consumer.wake.wait()
        finally:
            subscription.consumers.remove(consumer)

    def _launch(self, subscription: Subscription, delivery: Delivery, window: Window) -> None:
        push = asyncio.create_task(self._push(subscription, delivery, window))
        self._pushes[delivery] = push
        push.add_done_callback(lambda _: self._forget(delivery, push))

    def _forget(self, delivery: Delivery, push: asyncio.Task[None]) -> None:
        # A push that timed out may end after the next attempt for the same delivery has begun.
        if self._pushes.get(delivery) is push:
            del self._pushes[delivery]

    def _time_out(self, delivery: Delivery) -> None:
        """Cancel the push of an expired lease: the ack deadline is the request's timeout."""
        if push := self._pushes.get(delivery):
            push.cancel()

    async def _push(self, subscription: Subscription, delivery: Delivery, window: Window) -> None:
        self._calls["push", last(subscription.message.name)] += 1
        ack_id, is_accepted = subscription.ack_id(delivery), False
        try:
            config = subscription.message.push_config
            request = push_request(subscription.message, subscription.content(delivery), delivery.attempts, self._token(config))
            is_accepted = await self._is_accepted(config.push_endpoint, request)
        except asyncio.CancelledError:
            window.failed()
            raise
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            log.info("push of %s failed: %s", subscription.message.name, str(error) or type(error).__name__)
        if is_accepted:
            window.succeeded()
            subscription.acknowledge([ack_id])
        else:
            window.failed()
            subscription.modify_deadline([ack_id], 0)

    async def _is_accepted(self, endpoint: str, request: PushRequest) -> bool:
        assert self._session
        post = self._session.post(endpoint, data=request.body, headers=request.headers, allow_redirects=False)
        try:
            async with post as response:
                # An unread body would prevent the reuse of the connection.
                await response.read()
                return response.status in ACCEPTED
        except Processing:
            return True

    def _token(self, config: Any) -> str | None:
        email = config.oidc_token.service_account_email
        if not email:
            return None
        audience = config.oidc_token.audience or config.push_endpoint
        return self._accounts.id_token(email, audience)
