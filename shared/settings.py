"""Everything that differs between deployments, read once from the environment. The only file that reads it.

`TABLE` is the documentation too: docs/settings.md is checked against it.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shared.errors import BadConfiguration

ROOT = Path(__file__).resolve().parent.parent
MIB = 1 << 20
GOOGLE_ISSUER = "https://accounts.google.com"
GOOGLE_CERTIFICATES = "https://www.googleapis.com/oauth2/v1/certs"
#: Cloud Storage: V4 signing, longest expiration
MAX_URL_SECONDS = 7 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Setting:
    """One variable: its field, its name in the environment, its default (None: it must be set), what it means."""

    field: str
    variable: str
    default: str | None
    meaning: str
    kind: type = str


TABLE = (
    Setting("project", "GOOGLE_CLOUD_PROJECT", None, "project id"),
    Setting("location", "SLUICE_LOCATION", "us-central1", "where the queues are"),
    Setting("uploads_bucket", "SLUICE_UPLOADS_BUCKET", None, "where files arrive"),
    Setting("results_bucket", "SLUICE_RESULTS_BUCKET", None, "where outputs and manifests go; never the uploads bucket"),
    Setting("completions_topic", "SLUICE_COMPLETIONS_TOPIC", "completions", "topic of the notices"),
    Setting("dead_letters_topic", "SLUICE_DEAD_LETTERS_TOPIC", "dead-letters", "topic of messages nobody can read"),
    Setting("queue_prefix", "SLUICE_QUEUE_PREFIX", "", "put before a queue's name in pipeline.toml"),
    Setting("pipeline", "SLUICE_PIPELINE", str(ROOT / "pipeline.toml"), "path of pipeline.toml", Path),
    Setting("issuer_url", "SLUICE_ISSUER_URL", "", "base URL of the issuer, named to those whose file is too large to post"),
    Setting("dispatcher_url", "SLUICE_DISPATCHER_URL", "", "base URL of the dispatcher, the audience of its callers' tokens"),
    Setting(
        "processor_url",
        "SLUICE_PROCESSOR_URL",
        "",
        "base URL of the processor, where tasks go; the audience of their tokens",
    ),
    Setting("status_url", "SLUICE_STATUS_URL", "", "base URL of the status service, for the links that the doors answer"),
    Setting("push_account", "SLUICE_PUSH_ACCOUNT", "", "e-mail of the one account that may call the dispatcher"),
    Setting("tasks_account", "SLUICE_TASKS_ACCOUNT", "", "e-mail of the one account that may call the processor"),
    Setting(
        "queue_auth",
        "SLUICE_QUEUE_AUTH",
        "task",
        "who names the account that calls the processor: `task` each task does, `queue` the queue itself (deploy.sh's choice)",
    ),
    Setting("signer", "SLUICE_SIGNER", "", "e-mail of the account whose signature a signed URL carries"),
    Setting("signer_key", "SLUICE_SIGNER_KEY", "", "path of that account's JSON key; empty: sign through the IAM API"),
    Setting("max_post_bytes", "SLUICE_MAX_POST_BYTES", str(32 * MIB), "largest file the upload service takes", int),
    Setting("max_file_bytes", "SLUICE_MAX_FILE_BYTES", str(512 * MIB), "largest file that is processed, or signed for", int),
    Setting("url_seconds", "SLUICE_URL_SECONDS", "900", "how long a signed URL is good", int),
    Setting(
        "tasks_endpoint",
        "SLUICE_TASKS_ENDPOINT",
        "",
        "another Cloud Tasks than Google's, spoken to without credentials",
    ),
    Setting("token_issuer", "SLUICE_TOKEN_ISSUER", GOOGLE_ISSUER, "who signs the tokens of our callers"),
    Setting(
        "token_certificates",
        "SLUICE_TOKEN_CERTIFICATES",
        GOOGLE_CERTIFICATES,
        "where that issuer's certificates are",
    ),
)


@dataclass(frozen=True, slots=True)
class Settings:
    """What `TABLE` says, read and checked."""

    project: str
    location: str
    uploads_bucket: str
    results_bucket: str
    completions_topic: str
    dead_letters_topic: str
    queue_prefix: str
    pipeline: Path
    issuer_url: str
    dispatcher_url: str
    processor_url: str
    status_url: str
    push_account: str
    tasks_account: str
    queue_auth: str
    signer: str
    signer_key: str
    max_post_bytes: int
    max_file_bytes: int
    url_seconds: int
    tasks_endpoint: str
    token_issuer: str
    token_certificates: str

    def require(self, *names: str) -> None:
        """Refuse to start without these. Raises `BadConfiguration` naming the variable."""
        for setting in TABLE:
            if setting.field in names and not getattr(self, setting.field):
                raise BadConfiguration(f"set {setting.variable} ({setting.meaning}); see docs/settings.md")


def load(environment: Mapping[str, str] = os.environ) -> Settings:
    """Read every setting. Raises `BadConfiguration` naming the variable that is missing or wrong."""
    settings = Settings(**{setting.field: _value(setting, environment) for setting in TABLE})
    if settings.uploads_bucket == settings.results_bucket:
        raise BadConfiguration(
            "SLUICE_RESULTS_BUCKET is the uploads bucket: results would be processed as new uploads, for ever"
        )
    if settings.completions_topic == settings.dead_letters_topic:
        raise BadConfiguration("SLUICE_DEAD_LETTERS_TOPIC is the completions topic: subscribers would get what nobody can read")
    if settings.queue_auth not in ("task", "queue"):
        raise BadConfiguration(f"SLUICE_QUEUE_AUTH is {settings.queue_auth!r}; it takes `task` or `queue`")
    if settings.url_seconds > MAX_URL_SECONDS:
        raise BadConfiguration(
            f"SLUICE_URL_SECONDS is {settings.url_seconds}; a signed URL is good for {MAX_URL_SECONDS} at most"
        )
    if "K_SERVICE" in environment:
        _trust_only_google(settings)
    return settings


def _trust_only_google(settings: Settings) -> None:
    given = {"SLUICE_TOKEN_ISSUER": settings.token_issuer, "SLUICE_TOKEN_CERTIFICATES": settings.token_certificates}
    right = {"SLUICE_TOKEN_ISSUER": GOOGLE_ISSUER, "SLUICE_TOKEN_CERTIFICATES": GOOGLE_CERTIFICATES}
    for variable in (name for name in given if given[name] != right[name]):
        raise BadConfiguration(f"{variable} is not Google's ({right[variable]}), but this is Cloud Run: anybody could call it")


def _value(setting: Setting, environment: Mapping[str, str]) -> Any:
    text = environment.get(setting.variable, setting.default)
    if text is None or (text == "" and setting.default is None):
        raise BadConfiguration(f"set {setting.variable} ({setting.meaning}); see docs/settings.md")
    if setting.kind is int and (not text.isdecimal() or int(text) == 0):
        raise BadConfiguration(f"{setting.variable} is {text!r}; it takes a whole number above 0 ({setting.meaning})")
    return setting.kind(text)
