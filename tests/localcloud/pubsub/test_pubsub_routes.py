"""The routing table, compared with the REST routes of Google's own client."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from google.pubsub_v1.services.publisher.transports.rest_base import _BasePublisherRestTransport
from google.pubsub_v1.services.schema_service.transports.rest_base import _BaseSchemaServiceRestTransport
from google.pubsub_v1.services.subscriber.transports.rest_base import _BaseSubscriberRestTransport

from localcloud.errors import ApiError
from localcloud.pubsub.routes import METHODS, find_route

TRANSPORTS: dict[str, Any] = {
    "google.pubsub.v1.Publisher": _BasePublisherRestTransport,
    "google.pubsub.v1.Subscriber": _BaseSubscriberRestTransport,
    "google.pubsub.v1.SchemaService": _BaseSchemaServiceRestTransport,
    "google.iam.v1.IAMPolicy": _BasePublisherRestTransport,
}


def client_routes() -> Iterator[tuple[str, str, str, str]]:
    """Service, method, HTTP verb and path template of each route; schemas are not emulated."""
    for service, methods in METHODS.items():
        for name in methods:
            for option in getattr(TRANSPORTS[service], f"_Base{name}")._get_http_options():
                if "/schemas/" not in option["uri"]:
                    yield service, name, option["method"].upper(), option["uri"]


@pytest.mark.parametrize(("service", "name", "verb", "template"), list(client_routes()))
def test_a_route_of_googles_client_finds_its_method(service: str, name: str, verb: str, template: str) -> None:
    [(field, pattern)] = re.findall(r"\{([\w.]+)=([^}]+)\}", template)
    resource = pattern.replace("*", "some.id%2B1")
    path = re.sub(r"\{[^}]+\}", resource, template)

    operation, method, found = find_route(verb, path)

    assert operation == f"{service.rpartition('.')[2]}.{name}"
    assert method is METHODS[service][name]
    assert (method.field, found) == (field, resource)


@pytest.mark.parametrize("path", ["/v1/projects/p/topics/a/b", "/v1/projects/p/topics/a:publish:publish", "/v1/projects/p"])
def test_an_unknown_path_is_refused(path: str) -> None:
    with pytest.raises(ApiError, match=re.escape(path)):
        find_route("POST", path)
