"""The only package that imports Google's clients. `connect()` is the one seam that tests replace."""

import functools
import gc
from typing import TYPE_CHECKING

from shared import capacity, identity, processors, settings
from shared.cloud.protocols import RETRY_SECONDS, Bucket, Cloud, Queue, Subscription, Topic
from shared.identity import Certificates
from shared.routes import Routes
from shared.routes import load as load_routes
from shared.setting_checks import GOOGLE_ISSUER
from shared.settings import Settings

if TYPE_CHECKING:
    from shared.cloud.pubsub import PubSub
    from shared.cloud.storage import Storage
    from shared.guard import Guard
    from shared.sandbox.service import Sandbox

__all__ = ["Cloud", "connect"]

#: Allocation threshold for generation-0 garbage collection (CPython's default is 700).
GARBAGE_OBJECTS = 20_000


@functools.cache
def connect(retry_seconds: float = RETRY_SECONDS) -> Cloud:
    """The cloud of this service, made once. Settings and routes are checked now, clients are made on first use.

    A call that fails is repeated for `retry_seconds`, then raises `Unavailable`.
    """
    # Freeze the imported objects: scanning them costs 10 % of a cold start.
    gc.freeze()
    gc.set_threshold(GARBAGE_OBJECTS)
    return GoogleCloud(settings.load(), retry_seconds)


class GoogleCloud:
    """Google Cloud, or the emulators that the settings and the clients' own variables name."""

    def __init__(self, settings: Settings, retry_seconds: float = RETRY_SECONDS) -> None:
        self.settings: Settings = settings
        self._retry_seconds = retry_seconds
        self.routes: Routes = load_routes(settings.pipeline)
        for pool in self.routes.pools if settings.processor_urls else ():
            settings.processor_url(pool)
        self.certificates = Certificates(functools.partial(identity.fetch, settings.token_certificates))

    @functools.cached_property
    def sandbox(self) -> "Sandbox":
        from shared.sandbox.service import Sandbox

        pool = capacity.served(self.routes, self.settings.pool)
        names = [name for name in capacity.processors(self.routes, pool) if not processors.find(name).outside]
        return Sandbox(names, capacity.room(pool), self.settings.ffmpeg)

    def identity_token(self, audience: str) -> str:
        from shared.cloud.tokens import identity_token

        # Where the callers' tokens are not Google's, as on the local cloud, this service has no account with Google either.
        return identity_token(audience) if self.settings.token_issuer == GOOGLE_ISSUER else ""

    # Each client is imported on first use: a service that never queues saves that library's part of a cold start.

    @functools.cached_property
    def uploads(self) -> Bucket:
        return self._storage.bucket(self.settings.uploads_bucket)

    @functools.cached_property
    def results(self) -> Bucket:
        return self._storage.bucket(self.settings.results_bucket)

    @functools.cached_property
    def guard(self) -> "Guard":
        from shared.guard import Guard

        return Guard(self.results)

    @functools.cached_property
    def queue(self) -> Queue:
        from shared.cloud.tasks import CloudTasks

        return CloudTasks(self.settings, self.routes)

    @functools.cached_property
    def completions(self) -> Topic:
        return self._pubsub.topic(self.settings.completions_topic)

    @functools.cached_property
    def dead_letters(self) -> Topic:
        return self._pubsub.topic(self.settings.dead_letters_topic)

    @functools.cached_property
    def notifications(self) -> Topic:
        return self._pubsub.topic(self.settings.uploads_topic)

    @functools.cached_property
    def put_aside(self) -> Subscription:
        return self._pubsub.subscription(self.settings.dead_letters_topic)

    # The clients are this cloud's own: a process with two clouds, as tests have, must not read one as the other.

    @functools.cached_property
    def _storage(self) -> "Storage":
        from shared.cloud.storage import Storage

        return Storage(self.settings, self._retry_seconds)

    @functools.cached_property
    def _pubsub(self) -> "PubSub":
        from shared.cloud.pubsub import PubSub

        return PubSub(self.settings.project, self._retry_seconds)
