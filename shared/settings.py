"""The settings: all that differs between deployments, read once from the environment, and only here.

`Settings` is the one declaration: docs/settings.md and deploy.sh are checked against it.
"""

import dataclasses
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shared import setting_checks, setting_values
from shared.errors import BadConfiguration
from shared.setting_checks import GOOGLE_CERTIFICATES, GOOGLE_ISSUER, IAP_KEYS
from shared.setting_values import Setting

ROOT = Path(__file__).resolve().parent.parent
MIB = 1 << 20
#: Begins the names of the variables that pipeline.toml may name for secrets.
VARIABLE_PREFIX = "SLUICE_SECRET_"


def _setting(variable: str, meaning: str, *, default: str | None = "", deploy: str) -> Any:
    return dataclasses.field(repr=False, metadata={"setting": Setting(variable, meaning, default, deploy)})


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of one service."""

    project: str = _setting("GOOGLE_CLOUD_PROJECT", "project id", default=None, deploy="--project")
    location: str = _setting("SLUICE_LOCATION", "location of the queues", default="us-central1", deploy="--region")
    uploads_bucket: str = _setting("SLUICE_UPLOADS_BUCKET", "bucket of the uploaded files", default=None, deploy="derived")
    results_bucket: str = _setting(
        "SLUICE_RESULTS_BUCKET",
        "bucket of the outputs and manifests; never the uploads bucket",
        default=None,
        deploy="derived",
    )
    uploads_topic: str = _setting(
        "SLUICE_UPLOADS_TOPIC", "topic of the uploads bucket's notifications", default="uploads", deploy="derived"
    )
    completions_topic: str = _setting(
        "SLUICE_COMPLETIONS_TOPIC", "topic of the notices", default="completions", deploy="derived"
    )
    dead_letters_topic: str = _setting(
        "SLUICE_DEAD_LETTERS_TOPIC",
        "topic of the messages that cannot be read, and the name of the subscription that keeps them",
        default="dead-letters",
        deploy="derived",
    )
    queue_prefix: str = _setting("SLUICE_QUEUE_PREFIX", "put before each queue's name in pipeline.toml", deploy="derived")
    pipeline: Path = _setting("SLUICE_PIPELINE", "path of pipeline.toml", default=str(ROOT / "pipeline.toml"), deploy="")  # noqa: RUF009  (a field, not a value)
    issuer_url: str = _setting(
        "SLUICE_ISSUER_URL",
        "base URL of the issuer, for the answer to a file too large to post, and the audience of its callers' tokens",
        deploy="derived",
    )
    upload_url: str = _setting(
        "SLUICE_UPLOAD_URL", "base URL of the upload service, the audience of its callers' tokens", deploy="derived"
    )
    dispatcher_url: str = _setting(
        "SLUICE_DISPATCHER_URL", "base URL of the dispatcher, the audience of its callers' tokens", deploy="derived"
    )
    processor_urls: Mapping[str, str] = _setting(
        "SLUICE_PROCESSOR_URLS",
        "`<pool>=<base URL>` of every pool, between commas: the target of its tasks and the audience of their tokens",
        deploy="derived",
    )
    pool: str = _setting("SLUICE_POOL", "the pool that a processor serves", default="default", deploy="derived")
    status_url: str = _setting("SLUICE_STATUS_URL", "base URL of the status service, for links in answers", deploy="derived")
    notifier_url: str = _setting(
        "SLUICE_NOTIFIER_URL",
        "base URL of the notifier, the target of its tasks and the audience of its callers' tokens",
        deploy="derived",
    )
    webhook_secrets: Path = _setting(  # noqa: RUF009  (a field, not a value)
        "SLUICE_WEBHOOK_SECRETS",
        "folder of the webhooks' secrets: that of `secret-manager:<secret>` is the file `<secret>/value`",
        default="/secrets",
        deploy="",
    )
    webhook_loopback: bool = _setting(
        "SLUICE_WEBHOOK_LOOPBACK", "`1`: webhooks may be on this computer, by http too; refused on Cloud Run", deploy=""
    )
    push_account: str = _setting(
        "SLUICE_PUSH_ACCOUNT",
        "e-mail of the only account that may call the dispatcher, and push to the notifier",
        deploy="derived",
    )
    tasks_account: str = _setting(
        "SLUICE_TASKS_ACCOUNT",
        "e-mail of the only account that may call the processor, and deliver tasks to the notifier",
        deploy="derived",
    )
    queue_auth: str = _setting(
        "SLUICE_QUEUE_AUTH",
        "where the processor's caller is named: `task` in each task, `queue` in the queue (deploy.sh's default)",
        default="task",
        deploy="--queue-auth",
    )
    callers: str = _setting(
        "SLUICE_CALLERS",
        "who calls upload and issuer: `verified` accounts (Cloud Run's check), `open`: anyone, `shared`: a gateway for all",
        default="open",
        deploy="derived",
    )
    key_secret: str = _setting(
        "SLUICE_KEY_SECRET",
        "secret from which upload and issuer derive the names of objects with an `Idempotency-Key`: 32 characters or more",
        deploy="derived",
    )
    origins: tuple[str, ...] = _setting(
        "SLUICE_ORIGINS", "origins of the web pages that may call issuer, upload and status, by commas", deploy="--origins"
    )
    signer: str = _setting("SLUICE_SIGNER", "e-mail of the account that signs URLs of uploads", deploy="derived")
    signer_key: str = _setting(
        "SLUICE_SIGNER_KEY", "path of that account's JSON key; empty: sign through the IAM API", deploy=""
    )
    reader: str = _setting("SLUICE_READER", "e-mail of the account that signs links to outputs", deploy="derived")
    reader_key: str = _setting(
        "SLUICE_READER_KEY", "path of that account's JSON key; empty: sign through the IAM API", deploy=""
    )
    max_post_bytes: int = _setting(
        "SLUICE_MAX_POST_BYTES", "largest file that the upload service takes", default=str(32 * MIB), deploy=""
    )
    body_seconds: int = _setting("SLUICE_BODY_SECONDS", "longest time for the body of a request", default="240", deploy="")
    body_bytes_per_second: int = _setting(
        "SLUICE_BODY_BYTES_PER_SECOND",
        "least bytes per second of a request's body, after the first 10 seconds",
        default="8192",
        deploy="",
    )
    max_file_bytes: int = _setting(
        "SLUICE_MAX_FILE_BYTES", "largest file to process or sign for", default=str(512 * MIB), deploy="--max-file-bytes"
    )
    url_seconds: int = _setting("SLUICE_URL_SECONDS", "lifetime of a signed URL", default="900", deploy="--url-seconds")
    storage_origin: str = _setting(
        "SLUICE_STORAGE_ORIGIN",
        "origin of signed URLs, to which the console's pages may connect",
        default="https://storage.googleapis.com",
        deploy="",
    )
    console_access: str = _setting(
        "SLUICE_CONSOLE_ACCESS",
        "way into the console: `loopback` (this computer), `iap` (Identity-Aware Proxy), `invoker` (Cloud Run's check)",
        deploy="--console-access",
    )
    iap_audience: str = _setting(
        "SLUICE_IAP_AUDIENCE", "audience of Identity-Aware Proxy's assertions to the console", deploy="derived"
    )
    iap_keys: str = _setting("SLUICE_IAP_KEYS", "URL of the public keys of these assertions", default=IAP_KEYS, deploy="")
    operators: frozenset[str] = _setting(
        "SLUICE_OPERATORS",
        "e-mails of those who may act in a deployed console, between commas; others may look",
        deploy="--console-operators",
    )
    ffmpeg: str = _setting(
        "SLUICE_FFMPEG",
        "folder of the programs ffmpeg and ffprobe; empty: those of the PATH, else of the extra media",
        deploy="",
    )
    tasks_endpoint: str = _setting(
        "SLUICE_TASKS_ENDPOINT", "Cloud Tasks endpoint in place of Google's, called without credentials", deploy=""
    )
    clamd: str = _setting("SLUICE_CLAMD", "address of clamd for `any.scan`: `host:port` or `unix:/path`", deploy="--clamd")
    service_origins: str = _setting(
        "SLUICE_SERVICE_ORIGINS", "origins for `service.call`, by commas", deploy="--service-origins"
    )
    service_secrets: str = _setting(
        "SLUICE_SERVICE_SECRETS", "JSON of the values of `secret_headers`", deploy="--service-secrets"
    )
    sweeper_url: str = _setting(
        "SLUICE_SWEEPER_URL",
        "base URL of the sweeper, the target of its tasks and the audience of its callers' tokens",
        deploy="derived",
    )
    clock_account: str = _setting(
        "SLUICE_CLOCK_ACCOUNT",
        "e-mail of the only account that may begin a sweep; `tasks` delivers its parts",
        deploy="derived",
    )
    sweep_after_seconds: int = _setting(
        "SLUICE_SWEEP_AFTER_SECONDS", "age from which a sweep looks at an upload or a later run", default="3600", deploy=""
    )
    guard_files_per_day: int = _setting(
        "SLUICE_GUARD_FILES_PER_DAY",
        "ended files of a day's uploads beyond which the runaway guard skips the others",
        default="1000000",
        deploy="--guard-files-per-day",
    )
    guard_runs_per_object: int = _setting(
        "SLUICE_GUARD_RUNS_PER_OBJECT",
        "ended runs of one object's uploads of a day beyond which it skips the others",
        default="2000",
        deploy="--guard-runs-per-object",
    )
    token_issuer: str = _setting("SLUICE_TOKEN_ISSUER", "issuer of the callers' tokens", default=GOOGLE_ISSUER, deploy="")
    token_certificates: str = _setting(
        "SLUICE_TOKEN_CERTIFICATES", "URL of that issuer's certificates", default=GOOGLE_CERTIFICATES, deploy=""
    )

    def processor_url(self, pool: str) -> str:
        """The base URL of a pool's service. Raises `BadConfiguration` when it is not set."""
        if pool not in self.processor_urls:
            raise BadConfiguration(f"SLUICE_PROCESSOR_URLS has no URL of the pool {pool}; add {pool}=https://…")
        return self.processor_urls[pool]

    def require(self, *names: str) -> None:
        """Refuse to start while one of these is empty. Raises `BadConfiguration` naming the variable."""
        for name, setting in declared().items():
            if name in names and not getattr(self, name):
                raise setting_values.missing(setting)


def declared() -> dict[str, Setting]:
    """Each setting by the name of its field, in the order of declaration."""
    return {field.name: field.metadata["setting"] for field in dataclasses.fields(Settings)}


def load(environment: Mapping[str, str] = os.environ) -> Settings:
    """Read every setting. Raises `BadConfiguration` naming the missing or wrong variable."""
    kinds = {field.name: field.type for field in dataclasses.fields(Settings)}
    values = {name: setting_values.read(setting, kinds[name], environment) for name, setting in declared().items()}
    settings = Settings(**values)
    setting_checks.check(settings, is_deployed="K_SERVICE" in environment)
    return settings


def secret(variable: str, environment: Mapping[str, str] = os.environ) -> str:
    """The secret in a variable `SLUICE_SECRET_…`, which pipeline.toml names; empty when it is not set."""
    return environment.get(variable, "") if variable.startswith(VARIABLE_PREFIX) else ""
