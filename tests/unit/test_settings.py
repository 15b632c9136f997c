"""A service starts only with right settings, and each error names the variable; deploy.sh sets what it should."""

import re
import subprocess
from dataclasses import fields

import pytest

from shared import settings
from shared.errors import BadConfiguration
from shared.setting_values import Setting
from shared.settings import ROOT, Settings, declared
from tests.conftest import ENVIRONMENT


def test_every_field_declares_its_setting_once() -> None:
    variables = [setting.variable for setting in declared().values()]

    assert list(declared()) == [field.name for field in fields(Settings)]
    assert len(variables) == len(set(variables))


def test_defaults_apply_to_what_is_not_set() -> None:
    loaded = settings.load({name: value for name, value in ENVIRONMENT.items() if name != "SLUICE_PIPELINE"})

    assert loaded.location == "us-central1"
    assert loaded.pipeline == ROOT / "pipeline.toml"
    assert loaded.max_post_bytes == 1_000_000
    assert loaded.token_issuer == "https://accounts.google.com"


@pytest.mark.parametrize("variable", ["GOOGLE_CLOUD_PROJECT", "SLUICE_UPLOADS_BUCKET", "SLUICE_RESULTS_BUCKET"])
@pytest.mark.parametrize("value", [None, ""])
def test_a_missing_variable_is_named(variable: str, value: str | None) -> None:
    environment = {name: text for name, text in (ENVIRONMENT | {variable: value}).items() if text is not None}

    with pytest.raises(BadConfiguration, match=f"^set {variable} "):
        settings.load(environment)


@pytest.mark.parametrize("variable", ["SLUICE_MAX_POST_BYTES", "SLUICE_MAX_FILE_BYTES", "SLUICE_URL_SECONDS"])
@pytest.mark.parametrize("value", ["", "0", "-1", "1.5", "32MiB", "1e6", "²", "9" * 5000])
def test_a_wrong_number_is_named_with_a_right_one(variable: str, value: str) -> None:
    with pytest.raises(BadConfiguration, match=f"^{variable} is .* set a whole number above 0"):
        settings.load(ENVIRONMENT | {variable: value})


def test_a_url_lives_no_longer_than_cloud_storage_allows() -> None:
    assert settings.load(ENVIRONMENT | {"SLUICE_URL_SECONDS": "604800"}).url_seconds == 604_800

    with pytest.raises(BadConfiguration, match="SLUICE_URL_SECONDS is 604801"):
        settings.load(ENVIRONMENT | {"SLUICE_URL_SECONDS": "604801"})


@pytest.mark.parametrize("account", ["SIGNER", "READER"])
def test_on_cloud_run_a_url_lives_no_longer_than_the_signatures_of_the_iam_api(account: str) -> None:
    other = "READER" if account == "SIGNER" else "SIGNER"
    deployed = ENVIRONMENT | {"SLUICE_CONSOLE_ACCESS": "", "K_SERVICE": "issuer", f"SLUICE_{other}": ""}
    assert settings.load(deployed | {"SLUICE_URL_SECONDS": "43200"}).url_seconds == 43_200

    longer = deployed | {"SLUICE_URL_SECONDS": "43201"}
    with pytest.raises(
        BadConfiguration, match=r"^SLUICE_URL_SECONDS is 43201; what the IAM API signs is valid for 43200 seconds"
    ):
        settings.load(longer)
    assert settings.load(longer | {f"SLUICE_{account}_KEY": "key.json"}).url_seconds == 43_201


@pytest.mark.failure("T20")
def test_results_never_go_into_the_uploads_bucket() -> None:
    with pytest.raises(BadConfiguration, match="SLUICE_RESULTS_BUCKET is the uploads bucket"):
        settings.load(ENVIRONMENT | {"SLUICE_RESULTS_BUCKET": "uploads"})


@pytest.mark.parametrize("value", ["", "none", "Queue"])
def test_the_caller_is_named_by_the_task_or_by_the_queue(value: str) -> None:
    with pytest.raises(BadConfiguration, match=r"^SLUICE_QUEUE_AUTH is .* set it to `task` or `queue`"):
        settings.load(ENVIRONMENT | {"SLUICE_QUEUE_AUTH": value})


def test_each_pool_has_its_url() -> None:
    loaded = settings.load(ENVIRONMENT | {"SLUICE_PROCESSOR_URLS": "default=https://a.test,slow=http://127.0.0.1:8091"})

    assert loaded.processor_urls == {"default": "https://a.test", "slow": "http://127.0.0.1:8091"}
    assert loaded.processor_url("slow") == "http://127.0.0.1:8091"
    with pytest.raises(BadConfiguration, match=r"^SLUICE_PROCESSOR_URLS has no URL of the pool big; add big=https://"):
        loaded.processor_url("big")


@pytest.mark.parametrize(
    "value",
    ["https://a.test", "default=", "=https://a.test", "default=a.test", "default=https://a.test,", "a=http://a,a=http://b"],
)
def test_wrong_urls_of_pools_are_named_with_right_ones(value: str) -> None:
    with pytest.raises(BadConfiguration, match=r"^SLUICE_PROCESSOR_URLS is .+; write each pool once, such as default=https://"):
        settings.load(ENVIRONMENT | {"SLUICE_PROCESSOR_URLS": value})


@pytest.mark.failure("T66")
@pytest.mark.parametrize(
    ("variable", "topic", "fault"),
    [
        ("SLUICE_DEAD_LETTERS_TOPIC", "completions", "is the completions topic"),
        ("SLUICE_UPLOADS_TOPIC", "completions", "is the topic of notices or of dead letters"),
        ("SLUICE_UPLOADS_TOPIC", "dead-letters", "is the topic of notices or of dead letters"),
    ],
)
def test_each_kind_of_message_has_a_topic_of_its_own(variable: str, topic: str, fault: str) -> None:
    with pytest.raises(BadConfiguration, match=f"^{variable} {fault}"):
        settings.load(ENVIRONMENT | {variable: topic})


@pytest.mark.parametrize(
    ("variable", "value"),
    [("SLUICE_TOKEN_ISSUER", "http://127.0.0.1:8123"), ("SLUICE_TOKEN_CERTIFICATES", "http://127.0.0.1:8123/certs")],
)
def test_on_cloud_run_only_google_is_trusted(variable: str, value: str) -> None:
    elsewhere = ENVIRONMENT | {variable: value, "SLUICE_CONSOLE_ACCESS": ""}
    settings.load(elsewhere)

    with pytest.raises(BadConfiguration, match=f"{variable} is not Google's"):
        settings.load(elsewhere | {"K_SERVICE": "dispatcher"})


def test_googles_own_issuer_starts_on_cloud_run() -> None:
    environment = ENVIRONMENT | {"SLUICE_CONSOLE_ACCESS": ""}

    assert settings.load(environment | {"K_SERVICE": "dispatcher"}) == settings.load(environment)


def test_a_flag_is_1_or_empty() -> None:
    assert not settings.load(ENVIRONMENT).webhook_loopback
    assert settings.load(ENVIRONMENT | {"SLUICE_WEBHOOK_LOOPBACK": "1"}).webhook_loopback is True

    with pytest.raises(BadConfiguration, match=r"^SLUICE_WEBHOOK_LOOPBACK is 'yes'; set it to 1, or leave it empty$"):
        settings.load(ENVIRONMENT | {"SLUICE_WEBHOOK_LOOPBACK": "yes"})


def test_on_cloud_run_no_receiver_is_on_the_same_computer() -> None:
    with pytest.raises(BadConfiguration, match=r"^SLUICE_WEBHOOK_LOOPBACK is set; on Cloud Run "):
        settings.load(ENVIRONMENT | {"SLUICE_CONSOLE_ACCESS": "", "SLUICE_WEBHOOK_LOOPBACK": "1", "K_SERVICE": "notifier"})


def test_a_secret_is_read_from_variables_of_secrets_only() -> None:
    environment = {"SLUICE_SECRET_A": "whsec_a", "HOME": "/root"}

    assert settings.secret("SLUICE_SECRET_A", environment) == "whsec_a"
    assert settings.secret("SLUICE_SECRET_B", environment) == ""
    assert settings.secret("HOME", environment) == ""


def test_a_service_requires_settings_by_name() -> None:
    loaded = settings.load(ENVIRONMENT | {"SLUICE_SIGNER": ""})
    loaded.require("status_url")

    with pytest.raises(BadConfiguration, match="set SLUICE_SIGNER "):
        loaded.require("status_url", "signer")


def test_upload_and_issuer_are_open_unless_cloud_run_checks_their_callers() -> None:
    deployed = ENVIRONMENT | {"SLUICE_CONSOLE_ACCESS": "", "K_SERVICE": "upload"}

    assert settings.load(ENVIRONMENT).callers == "open"
    assert settings.load(deployed | {"SLUICE_CALLERS": "verified"}).callers == "verified"
    assert settings.load(ENVIRONMENT | {"SLUICE_CALLERS": "shared"}).callers == "shared"
    with pytest.raises(BadConfiguration, match=r"^SLUICE_CALLERS is verified, which relies on Cloud Run's check; "):
        settings.load(ENVIRONMENT | {"SLUICE_CALLERS": "verified"})
    with pytest.raises(BadConfiguration, match=r"^SLUICE_CALLERS is 'all'; set it to `verified`, `open` or `shared`$"):
        settings.load(ENVIRONMENT | {"SLUICE_CALLERS": "all"})


def test_a_short_secret_of_keys_is_refused_without_being_told() -> None:
    assert settings.load(ENVIRONMENT | {"SLUICE_KEY_SECRET": "s" * 32}).key_secret == "s" * 32

    with pytest.raises(BadConfiguration, match=r"^SLUICE_KEY_SECRET has fewer than 32 characters; ") as error:
        settings.load(ENVIRONMENT | {"SLUICE_KEY_SECRET": "hush" + " " * 40})
    assert "hush" not in error.value.message


@pytest.mark.parametrize("origin", ["https://app.example", "http://localhost:3000", "http://127.0.0.1:8080", "http://[::1]:1"])
def test_origins_are_written_as_browsers_send_them(origin: str) -> None:
    loaded = settings.load(ENVIRONMENT | {"SLUICE_ORIGINS": f"{origin}, https://b.example,{origin}"})

    assert loaded.origins == (origin, "https://b.example")


@pytest.mark.parametrize(
    "origin",
    [
        *("*", "null", "app.example", "https://app.example/", "https://APP.example", "https://app.example:443", "https://"),
        *("http://app.example:80", "https://*.app.example", "https://u@app.example", "file://", "https://a.example,,"),
        *("https://a.example https://b.example", "https://a\n.example", "https://a.example:0"),
    ],
)
def test_any_other_origin_is_named_with_a_right_one(origin: str) -> None:
    with pytest.raises(
        BadConfiguration, match=r"(?s)^SLUICE_ORIGINS has .*; write each as browsers send it, such as https://app"
    ):
        settings.load(ENVIRONMENT | {"SLUICE_ORIGINS": origin})


# ---- deploy.sh


@pytest.fixture(scope="module")
def deploy_sources() -> str:
    """The text of deploy.sh and deploy/, without comments, and without the settings of operators' shells."""
    modules = [path for path in sorted((ROOT / "deploy").glob("*.py")) if path.name != "env.py"]
    files = [ROOT / "deploy.sh", *sorted((ROOT / "deploy").glob("*.sh")), *modules]
    return "\n".join(re.sub(r"(^|\s)#.*", "", line) for file in files for line in file.read_text().splitlines())


@pytest.fixture(scope="module")
def options() -> set[str]:
    """The options that `./deploy.sh --help` lists."""
    usage = subprocess.run(["./deploy.sh", "--help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return set(re.findall(r"^  (--[a-z-]+)", usage, re.MULTILINE))


@pytest.mark.parametrize("setting", declared().values(), ids=lambda setting: setting.variable)
def test_deploy_sh_sets_each_setting_as_declared(setting: Setting, deploy_sources: str, options: set[str]) -> None:
    is_set = re.search(rf"\b{setting.variable}\b", deploy_sources) is not None

    assert is_set == bool(setting.deploy), f"deploy/ must {'' if setting.deploy else 'not '}set {setting.variable}"
    assert setting.deploy in {"", "derived"} | options, f"declare {setting.deploy} in deploy/options.py"
