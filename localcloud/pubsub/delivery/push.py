"""Push: one worker for each subscription with an endpoint takes messages and POSTs them, many at once."""

import asyncio
import logging
from typing import Any

import aiohttp

from localcloud.accounts import Accounts
from localcloud.pubsub.delivery import ack_ids as ids
from localcloud.pubsub.delivery.push_request import ACCEPTED, PushRequest, push_request
from localcloud.pubsub.delivery.push_response import Processing, PushResponse
from localcloud.pubsub.delivery.subscription import Subscription
from localcloud.pubsub.delivery.window import Window
from localcloud.pubsub.model import Consumer, Delivery

log = logging.getLogger(__name__)


class Pushers:
    """All workers, and the connections that they share."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts
        self._session: aiohttp.ClientSession | None = None
        self._workers: dict[int, asyncio.Task[None]] = {}
        self._pushes: dict[Delivery, asyncio.Task[None]] = {}

    def start(self) -> None:
        """Open for work; until now nothing is pushed."""
        connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=60)
        # No timeout but the ack deadline, which is kept on the local cloud's clock.
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None),
            response_class=PushResponse,
        )

    async def stop(self) -> None:
        """Cut off all pushes; their messages are pushed again after the next start."""
        tasks = [*self._workers.values(), *self._pushes.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._workers.clear()
        if self._session:
            await self._session.close()
            self._session = None

    def watch(self, subscription: Subscription) -> None:
        """Start or end the worker as the subscription now wants it; pushes under way end by themselves."""
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
        window, consumer = Window(), Consumer(is_serial=True, expired=self._time_out)
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
        # A push that timed out may end after the next attempt has begun.
        if self._pushes.get(delivery) is push:
            del self._pushes[delivery]

    def _time_out(self, delivery: Delivery) -> None:
        """The ack deadline is the timeout of the request: when the lease ends, so does the push."""
        if push := self._pushes.get(delivery):
            push.cancel()

    async def _push(self, subscription: Subscription, delivery: Delivery, window: Window) -> None:
        lease = delivery.lease
        is_accepted = False
        try:
            config = subscription.message.push_config
            request = push_request(subscription.message, subscription.content(delivery), delivery.attempts, self._token(config))
            is_accepted = await self._is_accepted(config.push_endpoint, request)
        except asyncio.CancelledError:
            window.failed()
            raise
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            log.info("push of %s failed: %s", subscription.message.name, error or type(error).__name__)
        if is_accepted:
            window.succeeded()
        else:
            window.failed()
        ack_id = ids.ack_id(subscription.key, delivery.message.id, lease)
        if is_accepted:
            subscription.acknowledge([ack_id])
        else:
            subscription.modify_deadline([ack_id], 0)

    async def _is_accepted(self, endpoint: str, request: PushRequest) -> bool:
        assert self._session
        post = self._session.post(endpoint, data=request.body, headers=request.headers, allow_redirects=False)
        try:
            async with post as response:
                # Read to the end, or the connection cannot be used again.
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
