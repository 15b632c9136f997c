"""Nothing starts with a wrong setting, and whoever reads the error knows what to set."""

import pytest

from shared import settings
from shared.errors import BadConfiguration
from tests.conftest import ENVIRONMENT


def test_every_setting_has_its_field_in_the_same_order() -> None:
    assert [setting.field for setting in settings.TABLE] == list(settings.Settings.__slots__)


def test_what_is_not_set_has_its_default() -> None:
    loaded = settings.load(ENVIRONMENT)

    assert loaded.location == "us-central1"
    assert loaded.pipeline == settings.ROOT / "pipeline.toml"
    assert loaded.max_post_bytes == 1_000_000
    assert loaded.token_issuer == "https://accounts.google.com"


@pytest.mark.parametrize("variable", ["GOOGLE_CLOUD_PROJECT", "SLUICE_UPLOADS_BUCKET", "SLUICE_RESULTS_BUCKET"])
@pytest.mark.parametrize("value", [None, ""])
def test_a_missing_variable_is_named(variable: str, value: str | None) -> None:
    environment = {name: text for name, text in (ENVIRONMENT | {variable: value}).items() if text is not None}

    with pytest.raises(BadConfiguration, match=f"^set {variable} "):
        settings.load(environment)


@pytest.mark.parametrize("variable", ["SLUICE_MAX_POST_BYTES", "SLUICE_MAX_FILE_BYTES", "SLUICE_URL_SECONDS"])
@pytest.mark.parametrize("value", ["", "0", "-1", "1.5", "32MiB", "1e6", "²"])
def test_a_number_that_is_none_is_named_with_what_it_takes(variable: str, value: str) -> None:
    with pytest.raises(BadConfiguration, match=f"^{variable} is .* it takes a whole number above 0"):
        settings.load(ENVIRONMENT | {variable: value})


def test_a_url_good_for_longer_than_cloud_storage_allows_is_refused() -> None:
    assert settings.load(ENVIRONMENT | {"SLUICE_URL_SECONDS": "604800"}).url_seconds == 604_800

    with pytest.raises(BadConfiguration, match="SLUICE_URL_SECONDS is 604801"):
        settings.load(ENVIRONMENT | {"SLUICE_URL_SECONDS": "604801"})


def test_results_never_go_into_the_uploads_bucket() -> None:
    with pytest.raises(BadConfiguration, match="SLUICE_RESULTS_BUCKET is the uploads bucket"):
        settings.load(ENVIRONMENT | {"SLUICE_RESULTS_BUCKET": "uploads"})


@pytest.mark.parametrize("value", ["", "none", "Queue"])
def test_a_token_is_named_by_the_task_or_by_the_queue(value: str) -> None:
    with pytest.raises(BadConfiguration, match=r"^SLUICE_QUEUE_AUTH is .* it takes `task` or `queue`"):
        settings.load(ENVIRONMENT | {"SLUICE_QUEUE_AUTH": value})


def test_dead_letters_are_never_notices() -> None:
    with pytest.raises(BadConfiguration, match="SLUICE_DEAD_LETTERS_TOPIC is the completions topic"):
        settings.load(ENVIRONMENT | {"SLUICE_DEAD_LETTERS_TOPIC": "completions"})


@pytest.mark.parametrize(
    ("variable", "value"),
    [("SLUICE_TOKEN_ISSUER", "http://127.0.0.1:8123"), ("SLUICE_TOKEN_CERTIFICATES", "http://127.0.0.1:8123/certs")],
)
def test_on_cloud_run_only_google_is_trusted(variable: str, value: str) -> None:
    elsewhere = ENVIRONMENT | {variable: value}
    settings.load(elsewhere)

    with pytest.raises(BadConfiguration, match=f"{variable} is not Google's"):
        settings.load(elsewhere | {"K_SERVICE": "dispatcher"})


def test_googles_own_issuer_starts_on_cloud_run() -> None:
    assert settings.load(ENVIRONMENT | {"K_SERVICE": "dispatcher"}) == settings.load(ENVIRONMENT)


def test_a_service_names_what_it_cannot_do_without() -> None:
    loaded = settings.load(ENVIRONMENT | {"SLUICE_SIGNER": ""})
    loaded.require("status_url")

    with pytest.raises(BadConfiguration, match="set SLUICE_SIGNER "):
        loaded.require("status_url", "signer")
