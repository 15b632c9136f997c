"""Cloud Tasks v2 over REST and gRPC: queues that call HTTP targets.

service.py     Tasks: builds the parts, starts and stops them
http.py        REST: from a request to its handler, errors as JSON
rpc.py         gRPC: from a request to the same handlers
routes.py      method + path → handler, by the names of Google's reference
api/           handlers, one module per resource
rules/         checks and defaults, pure
model.py       queues, tasks, an attempt's request and outcome
data/          the SQLite store
delivery/      dispatcher → a scheduler per queue (pace, retry) → attempt → sender
messages.py    Google's protobuf classes
"""

from localcloud.tasks.routes import operations
from localcloud.tasks.service import Tasks

__all__ = ["Tasks", "operations"]
