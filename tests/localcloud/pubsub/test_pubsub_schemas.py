"""There are no schemas: a list of them is empty, and what would make one is refused by name."""

from collections.abc import Callable, Iterator

import grpc
import pytest
from google.api_core import exceptions
from google.pubsub_v1 import Schema, SchemaServiceClient
from google.pubsub_v1.services.schema_service.transports import SchemaServiceGrpcTransport

from tests.localcloud.pubsub.test_pubsub_rest import call
from tests.localcloud.pubsub.world import PROJECT, World

SCHEMA = f"{PROJECT}/schemas/colour"
STRING = Schema(name=SCHEMA, type_=Schema.Type.AVRO, definition='"string"')


@pytest.fixture
def client(world: World) -> Iterator[SchemaServiceClient]:
    with grpc.insecure_channel(f"127.0.0.1:{world.grpc_port}") as channel:
        yield SchemaServiceClient(transport=SchemaServiceGrpcTransport(channel=channel))


def test_a_list_of_schemas_is_empty(client: SchemaServiceClient) -> None:
    assert list(client.list_schemas(parent=PROJECT)) == []


def test_a_list_over_rest_is_an_empty_object(world: World) -> None:
    assert call(world, "GET", "/schemas?pageSize=5&view=FULL") == (200, {})


def test_a_malformed_project_is_refused(client: SchemaServiceClient) -> None:
    with pytest.raises(exceptions.InvalidArgument, match=r"Invalid \[projects\] name"):
        client.list_schemas(parent="projects/a/b")


@pytest.mark.parametrize(
    ("name", "act"),
    [
        ("CreateSchema", lambda client: client.create_schema(parent=PROJECT, schema=STRING, schema_id="colour")),
        ("GetSchema", lambda client: client.get_schema(name=SCHEMA)),
        ("CommitSchema", lambda client: client.commit_schema(name=SCHEMA, schema=STRING)),
        ("DeleteSchema", lambda client: client.delete_schema(name=SCHEMA)),
        ("ValidateSchema", lambda client: client.validate_schema(parent=PROJECT, schema=STRING)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_every_other_method_is_refused_by_name(
    client: SchemaServiceClient, name: str, act: Callable[[SchemaServiceClient], object]
) -> None:
    with pytest.raises(exceptions.MethodNotImplemented, match=f"does not support /google.pubsub.v1.SchemaService/{name}"):
        act(client)
