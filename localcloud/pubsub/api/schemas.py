"""The one method of SchemaService that a project without schemas can answer. The others are refused by name."""

from typing import Any

from localcloud.pubsub.delivery.broker import Broker
from localcloud.pubsub.messages import ListSchemasResponse
from localcloud.pubsub.rules import names


async def list_(_broker: Broker, request: Any) -> Any:
    """ListSchemas: there are none."""
    names.check_project(request.parent)
    return ListSchemasResponse()
