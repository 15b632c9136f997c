"""A gcloud that starts at once, for the tests of all services."""

import os
from collections.abc import Callable, Iterator

import pytest

from tests.preloaded import preloaded


@pytest.fixture(scope="session")
def gcloud_environment(tmp_path_factory: pytest.TempPathFactory, program: Callable[[str], str]) -> Iterator[dict[str, str]]:
    """Variables for a gcloud that asks no question and sends no credentials; a test adds the address of its service."""
    own = {
        "CLOUDSDK_CONFIG": str(tmp_path_factory.mktemp("gcloud")),
        "CLOUDSDK_AUTH_DISABLE_CREDENTIALS": "true",
        "CLOUDSDK_CORE_PROJECT": "local-project",
        "CLOUDSDK_CORE_DISABLE_PROMPTS": "1",
    }
    with preloaded(program("gcloud"), os.environ | own) as environment:
        yield environment
