"""What the doors rely on in signed URLs, and whose signature these carry."""

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
    """A name of this test's own."""
    return f"permissions/{time.time_ns()}/ünï 🐈 a%2Fb#c?d+e.bin"


def said(url: str) -> dict[str, str]:
    """What a signed URL says in its query."""
    return {key: ", ".join(values) for key, values in parse_qs(urlsplit(url).query, strict_parsing=True).items()}


def use(permission: Permission, data: bytes = b"", **changed: str) -> requests.Response:
    """Do what was permitted, with these headers in the place of those that have to be sent."""
    headers = {**permission.headers, **changed}
    return requests.request(permission.method, permission.url, data=data, headers=headers, timeout=10)


def test_a_permission_carries_the_headers_it_was_asked_for_and_no_others(cloud: Cloud, name: str) -> None:
    simple = cloud.uploads.permit_upload(name, TERMS, 60, resumable=False)
    resumable = cloud.uploads.permit_upload(name, TERMS, 60, resumable=True)

    assert (simple.method, dict(simple.headers)) == ("PUT", TERMS)
    assert (resumable.method, dict(resumable.headers)) == ("POST", TERMS | {"x-goog-resumable": "start"})


@pytest.mark.parametrize(("resumable", "more"), [(False, []), (True, ["x-goog-resumable"])], ids=["simple", "resumable"])
def test_an_upload_is_signed_with_all_its_terms(real: Cloud, name: str, resumable: bool, more: list[str]) -> None:
    permission = real.uploads.permit_upload(name, TERMS, 77, resumable=resumable)
    url = said(permission.url)

    assert url["X-Goog-Expires"] == "77"
    assert url["X-Goog-SignedHeaders"].split(";") == sorted([*TERMS, "host", *more])
    assert url["X-Goog-Credential"].startswith(f"{real.settings.signer}/")
    assert use(permission, b"1", **{"x-goog-content-length-range": "1,99"}).status_code == 403


def test_an_upload_may_be_done_once_and_within_its_terms(real: Cloud, name: str) -> None:
    permission = real.uploads.permit_upload(name, TERMS, 77, resumable=False)

    assert [use(permission, data).status_code for data in (b"123456", b"12345", b"54321")] == [400, 200, 412]
    assert real.uploads.read(name) == b"12345"


def test_a_resumable_upload_may_be_begun(real: Cloud, name: str) -> None:
    begun = use(real.uploads.permit_upload(name, TERMS, 77, resumable=True))
    done = requests.put(begun.headers["location"], b"12345", timeout=10)

    assert (begun.status_code, done.status_code) == (201, 200)
    assert real.uploads.read(name) == b"12345"


def test_a_download_is_never_shown_by_a_browser_as_a_page(real: Cloud, name: str) -> None:
    real.uploads.create(name, "text/html", b"<script>")
    url = real.uploads.permit_download(name, 77)
    answer = requests.get(url, timeout=10)

    assert (said(url)["X-Goog-Expires"], said(url)["response-content-disposition"]) == ("77", "attachment")
    assert (answer.content, answer.headers["content-disposition"]) == (b"<script>", "attachment")
    assert requests.put(url, b"other", timeout=10).status_code == 403


def test_without_a_key_the_iam_api_signs_as_the_signer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(google.auth, "default", lambda **_options: (AnonymousCredentials(), "local-project"))
    credentials = signing.credentials(configuration.load(ENVIRONMENT))

    assert isinstance(credentials, Credentials)
    assert credentials.signer_email == ENVIRONMENT["SLUICE_SIGNER"]


def test_with_a_key_nobody_is_asked(real: Cloud, without_token: Callable[[Exception], None]) -> None:
    without_token(TransportError("nobody there"))

    assert signing.credentials(real.settings).signer_email == real.settings.signer


def test_who_signs_must_be_said() -> None:
    with pytest.raises(BadConfiguration, match="SLUICE_SIGNER"):
        signing.credentials(replace(configuration.load(ENVIRONMENT), signer=""))


@pytest.mark.parametrize(
    "error", [RefreshError("no grant yet"), TransportError("nobody there")], ids=["refused", "unreachable"]
)
def test_a_signature_that_cannot_be_had_now_may_be_had_later(
    bucket_at: Callable[[str], StorageBucket], without_token: Callable[[Exception], None], error: Exception
) -> None:
    without_token(error)
    bucket = bucket_at("")

    with pytest.raises(Unavailable, match=type(error).__name__):
        bucket.permit_upload("name", TERMS, 60, resumable=False)
    with pytest.raises(Unavailable, match=type(error).__name__):
        bucket.permit_download("name", 60)
