"""The local cloud's one project and location, its host and its ports."""

from dataclasses import dataclass

PROJECT = "local-project"
LOCATION = "us-central1"
HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Ports:
    """The ports of the services; `offset` moves them all."""

    offset: int = 0

    @property
    def storage(self) -> int:
        return 9000 + self.offset

    @property
    def storage_tls(self) -> int:
        return 9443 + self.offset

    @property
    def pubsub_grpc(self) -> int:
        return 8085 + self.offset

    @property
    def pubsub(self) -> int:
        return 8086 + self.offset

    @property
    def pubsub_tls(self) -> int:
        return 8087 + self.offset

    @property
    def tasks(self) -> int:
        return 8123 + self.offset

    @property
    def tasks_grpc(self) -> int:
        return 8124 + self.offset

    @property
    def all(self) -> set[int]:
        """Every port that the local cloud listens on."""
        pubsub = {self.pubsub_grpc, self.pubsub, self.pubsub_tls}
        return {self.storage, self.storage_tls, *pubsub, self.tasks, self.tasks_grpc}
