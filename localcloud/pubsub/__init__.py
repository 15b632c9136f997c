"""Pub/Sub: topics, subscriptions, pull and push, over gRPC and REST.

service.py    the service: its parts, start and stop
http.py       REST surface            rpc.py   gRPC surface
routes.py     every method: its handler, its request and its REST routes
api/          handlers, one module per resource
rules/        checks and defaults, without I/O
model.py      batches, messages, deliveries, consumers
messages.py   Google's protobuf classes
data/         SQLite: resources, messages, acknowledgements
delivery/     from topics to consumers: backlogs, leases, push
upkeep.py     expiry of messages, snapshots and subscriptions
"""

from localcloud.pubsub.routes import operations
from localcloud.pubsub.service import PubSub

__all__ = ["PubSub", "operations"]
