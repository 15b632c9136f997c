"""Push: one worker for each subscription with an endpoint takes messages and POSTs them, many at once."""

import asyncio
import logging
import math
from typing import Any

import aiohttp

from local.accounts import Accounts
from local.pubsub.model import Consumer, Delivery
from local.pubsub.push_request import ACCEPTED, PushRequest, push_request
from local.pubsub.subscription import Subscription
from local.pubsub.window import Window

log = logging.getLogger(__name__)


class Pushers:
    """All workers, and the connections that they share."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts
        self._session: aiohttp.ClientSession | None = None
        self._workers: dict[int, asyncio.Task[None]] = {}
        self._pushes: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """Open for work; until now nothing is pushed."""
        connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=60)
        self._session = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())

    async def stop(self) -> None:
        """Cut off all pushes; their messages are pushed again after the next start."""
        tasks = [*self._workers.values(), *self._pushes]
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
        is_wanted = subscription.is_push and not subscription.is_deleted
        worker = self._workers.get(subscription.key)
        if is_wanted and worker is None:
            self._workers[subscription.key] = asyncio.create_task(self._work(subscription))
        elif not is_wanted and worker:
            del self._workers[subscription.key]
            worker.cancel()

    async def _work(self, subscription: Subscription) -> None:
        window, consumer = Window(), Consumer(is_serial=True)
        subscription.consumers.append(consumer)
        try:
            while True:
                consumer.wake.clear()
                consumer.max_messages = window.size
                # The request has a timeout of its own, so the lease needs no end.
                for delivery in subscription.take(consumer, window.size, math.inf):
                    self._launch(subscription, delivery, window)
                await consumer.wake.wait()
        finally:
            subscription.consumers.remove(consumer)

    def _launch(self, subscription: Subscription, delivery: Delivery, window: Window) -> None:
        push = asyncio.create_task(self._push(subscription, delivery, window))
        self._pushes.add(push)
        push.add_done_callback(self._pushes.discard)

    async def _push(self, subscription: Subscription, delivery: Delivery, window: Window) -> None:
        lease = delivery.lease
        is_accepted = False
        try:
            config = subscription.message.push_config
            request = push_request(subscription.message, subscription.content(delivery), delivery.attempts, self._token(config))
            timeout = subscription.message.ack_deadline_seconds
            is_accepted = await self._is_accepted(config.push_endpoint, request, timeout)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            log.info("push of %s failed: %s", subscription.message.name, error or type(error).__name__)
        if is_accepted:
            window.succeeded()
        else:
            window.failed()
        subscription.settle(delivery, lease, is_accepted)

    async def _is_accepted(self, endpoint: str, request: PushRequest, timeout_seconds: float) -> bool:
        assert self._session
        timeout = aiohttp.ClientTimeout(total=timeout_seconds)
        async with self._session.post(
            endpoint, data=request.body, headers=request.headers, timeout=timeout, allow_redirects=False
        ) as response:
            # Read to the end, or the connection cannot be used again.
            await response.read()
            return response.status in ACCEPTED

    def _token(self, config: Any) -> str | None:
        email = config.oidc_token.service_account_email
        if not email:
            return None
        audience = config.oidc_token.audience or config.push_endpoint
        return self._accounts.id_token(email, audience)
