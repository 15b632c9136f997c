"""Signed URLs: their terms, and the account that signs them."""

import time
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import google.auth
import pytest
import requests
from google.auth.credentials import AnonymousCredentials
from google.auth.exceptions import RefreshError, TransportError
from google.auth.impersonated_credentials import Credentials

from shared import settings as configuration
from shared.cloud import signing
from shared.cloud.protocols import Cloud, Permission
from shared.cloud.storage import StorageBucket
from shared.errors import BadConfiguration, Unavailable
from tests.conftest import ENVIRONMENT

TERMS = {"content-type": "image/png", "x-goog-content-length-range": "1,5", "x-goog-if-generation-match": "0"}


@pytest.fixture
def name() -> str:
    """A fresh name."""
    return f"permissions/{time.time_ns()}/ünï 🐈 a%2Fb#c?d+e.bin"


def parameters(url: str) -> dict[str, str]:
    """The query parameters of a signed URL."""
    return {key: ", ".join(values) for key, values in parse_qs(urlsplit(url).query, strict_parsing=True).items()}


def use(permission: Permission, data: bytes = b"", **changed: str) -> requests.Response:
    """Send the signed request, with these headers changed."""
    headers = {**permission.headers, **changed}
    return requests.request(permission.method, permission.url, data=data, headers=headers, timeout=60)


def test_a_signed_url_has_exactly_the_headers_of_its_request(cloud: Cloud, name: str) -> None:
    simple = cloud.uploads.permit_upload(name, TERMS, 60, resumable=False)
    resumable = cloud.uploads.permit_upload(name, TERMS, 60, resumable=True)

    assert (simple.method, dict(simple.headers)) == ("PUT", TERMS)
    assert (resumable.method, dict(resumable.headers)) == ("POST", TERMS | {"x-goog-resumable": "start"})


@pytest.mark.parametrize(("resumable", "more"), [(False, []), (True, ["x-goog-resumable"])], ids=["simple", "resumable"])
def test_an_upload_is_signed_with_all_its_terms(real: Cloud, name: str, resumable: bool, more: list[str]) -> None:
    permission = real.uploads.permit_upload(name, TERMS, 77, resumable=resumable)
    url = parameters(permission.url)

    assert url["X-Goog-Expires"] == "77"
    assert url["X-Goog-SignedHeaders"].split(";") == sorted([*TERMS, "host", *more])
    assert url["X-Goog-Credential"].startswith(f"{real.settings.signer}/")
    assert use(permission, b"1", **{"x-goog-content-length-range": "1,99"}).status_code == 403


@pytest.mark.failure("T58", "T60")
def test_a_signed_upload_works_once_and_within_its_terms(real: Cloud, name: str) -> None:
    permission = real.uploads.permit_upload(name, TERMS, 77, resumable=False)

    assert [use(permission, data).status_code for data in (b"123456", b"12345", b"54321")] == [400, 200, 412]
    assert real.uploads.read(name) == b"12345"


@pytest.mark.parametrize("resumable", [False, True])
def test_signed_metadata_are_the_objects(real: Cloud, name: str, resumable: bool) -> None:
    terms = TERMS | {"x-goog-meta-order": "4711", "x-goog-meta-note": "two words; a=b"}
    permission = real.uploads.permit_upload(name, terms, 77, resumable=resumable)
    assert use(permission, b"12345", **{"x-goog-meta-order": "4712"}).status_code == 403
    answer = use(permission, b"" if resumable else b"12345")
    if resumable:
        answer = requests.put(answer.headers["location"], b"12345", timeout=60)
    found = real.uploads.find(name)

    assert (answer.status_code, found and found.metadata) == (200, {"order": "4711", "note": "two words; a=b"})


def test_a_signed_url_begins_a_resumable_upload(real: Cloud, name: str) -> None:
    begun = use(real.uploads.permit_upload(name, TERMS, 77, resumable=True))
    done = requests.put(begun.headers["location"], b"12345", timeout=60)

    assert (begun.status_code, done.status_code) == (201, 200)
    assert real.uploads.read(name) == b"12345"


def test_a_download_is_an_attachment(real: Cloud, name: str) -> None:
    real.uploads.create(name, "text/html", b"<script>")
    url = real.uploads.permit_download(name, 77)
    answer = requests.get(url, timeout=60)

    assert parameters(url)["X-Goog-Credential"].startswith(f"{real.settings.reader}/")
    assert (parameters(url)["X-Goog-Expires"], parameters(url)["response-content-disposition"]) == ("77", "attachment")
    assert (answer.content, answer.headers["content-disposition"]) == (b"<script>", "attachment")
    assert requests.put(url, b"other", timeout=60).status_code == 403


def test_without_a_key_the_iam_api_signs_as_the_signer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(google.auth, "default", lambda **_options: (AnonymousCredentials(), "local-project"))
    settings = configuration.load(ENVIRONMENT)

    for credentials, variable in (
        (signing.of_uploads(settings), "SLUICE_SIGNER"),
        (signing.of_downloads(settings), "SLUICE_READER"),
    ):
        assert isinstance(credentials, Credentials)
        assert credentials.signer_email == ENVIRONMENT[variable]


def test_a_key_signs_without_a_call(real: Cloud, without_token: Callable[[Exception], None]) -> None:
    without_token(TransportError("unreachable"))

    assert signing.of_uploads(real.settings).signer_email == real.settings.signer
    assert signing.of_downloads(real.settings).signer_email == real.settings.reader


def test_the_signers_are_required() -> None:
    without = replace(configuration.load(ENVIRONMENT), signer="", reader="")

    with pytest.raises(BadConfiguration, match="SLUICE_SIGNER"):
        signing.of_uploads(without)
    with pytest.raises(BadConfiguration, match="SLUICE_READER"):
        signing.of_downloads(without)


@pytest.mark.parametrize("error", [RefreshError("no grant yet"), TransportError("unreachable")], ids=["refused", "unreachable"])
def test_a_failed_signature_is_retried(
    bucket_at: Callable[[str], StorageBucket], without_token: Callable[[Exception], None], error: Exception
) -> None:
    without_token(error)
    bucket = bucket_at("")

    with pytest.raises(Unavailable, match=type(error).__name__):
        bucket.permit_upload("name", TERMS, 60, resumable=False)
    with pytest.raises(Unavailable, match=type(error).__name__):
        bucket.permit_download("name", 60)
