"""The only package that imports Google's clients. `connect()` is the one seam: tests replace it, and nothing else."""

import functools
import gc

from shared import identity, settings
from shared.cloud.protocols import Bucket, Cloud, Queue, Topic
from shared.identity import Certificates
from shared.routes import Routes
from shared.routes import load as load_routes
from shared.settings import Settings

__all__ = ["Cloud", "connect"]

#: How many objects are made before the young ones are looked through; Python's own 700 suits small programs.
GARBAGE_OBJECTS = 20_000


@functools.cache
def connect() -> Cloud:
    """This service's cloud, made once: settings and routes are checked now, clients are made when first used."""
    # What is loaded by now stays, and so does most of what comes: looking for garbage in it is a tenth of a cold start.
    gc.freeze()
    gc.set_threshold(GARBAGE_OBJECTS)
    return GoogleCloud(settings.load())


class GoogleCloud:
    """Google Cloud, or whatever the settings and the clients' own emulator variables point to."""

    def __init__(self, settings: Settings) -> None:
        self.settings: Settings = settings
        self.routes: Routes = load_routes(settings.pipeline)
        self.certificates = Certificates(functools.partial(identity.fetch, settings.token_certificates))

    # Each client is imported where it is made: a service that never queues should not spend its cold start on that library.

    @functools.cached_property
    def uploads(self) -> Bucket:
        return self._bucket(self.settings.uploads_bucket)

    @functools.cached_property
    def results(self) -> Bucket:
        return self._bucket(self.settings.results_bucket)

    @functools.cached_property
    def queue(self) -> Queue:
        from shared.cloud.tasks import CloudTasks

        return CloudTasks(self.settings)

    @functools.cached_property
    def completions(self) -> Topic:
        return self._topic(self.settings.completions_topic)

    @functools.cached_property
    def dead_letters(self) -> Topic:
        return self._topic(self.settings.dead_letters_topic)

    def _bucket(self, name: str) -> Bucket:
        from shared.cloud.storage import StorageBucket

        return StorageBucket(name, self.settings)

    def _topic(self, name: str) -> Topic:
        from shared.cloud.pubsub import PubSubTopic

        return PubSubTopic(self.settings.project, name)
