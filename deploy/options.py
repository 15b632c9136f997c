"""Options of deploy.sh: each is declared once, with its default, its check and its meaning in --help."""

import re
from dataclasses import dataclass, field, fields
from typing import Any

from deploy.errors import Failed
from shared.processors.extras import EXTRAS

MEMBER = r'(?:group|user|serviceAccount):[^:@, "]+@[^:@, "]+'
EMAIL = r'[^:@, "]+@[^:@, "]+'
#: As the services check SLUICE_ORIGINS.
ORIGIN = (
    r"(?!http:[^,]*:80(,|$)|https:[^,]*:443(,|$))https?://([a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?|\[[0-9a-f:]+\])(:[1-9][0-9]{0,4})?"
)
ABOVE_0 = r"[1-9][0-9]{0,14}", "a whole number above 0"
#: Pub/Sub's longest retention of a topic.
NOTICE_DAYS = r"[0-9]|[12][0-9]|3[01]", "a number of days up to 31; 0 keeps none"
DAYS = r"0|[1-9][0-9]{0,4}", "a number of days; 0 keeps for ever"
#: More than the window of a sweep, which queues again each file without an index entry; that is a result.
RESULTS_DAYS = (
    r"0|1[5-9]|[2-9][0-9]|[1-9][0-9]{2,4}",
    "0, which keeps for ever, or 15 days and more: a sweep looks at the files of the last 14 days, and would process those again "
    "whose results were deleted",
)
#: The parts of an hour from 10 minutes on, and the parts of a day in whole hours: cron has no other regular times.
MINUTES = r"0|10|15|20|30|60|120|180|240|360|480|720|1440", "10, 15, 20, 30, 60, 120, 180, 240, 360, 480, 720 or 1440; 0: never"
DOORS = r"issuer|upload|status"
ANY_EXTRA = "|".join(sorted(EXTRAS))


def _option(default: str, value: str, meaning: str, pattern: str = ".*", takes: str = "", heading: str = "") -> Any:
    """A field with its placeholder and meaning in --help, the pattern of its whole value, and that pattern in words."""
    metadata = {"value": value, "meaning": meaning, "pattern": pattern, "takes": takes, "heading": heading}
    return field(default=default, metadata=metadata)


@dataclass(frozen=True)
class Options:
    """The command and every option, as strings that gcloud takes.

    `given` names the options of the command line and its --env-file.
    """

    command: str
    local: bool = False
    delete_data: bool = False
    yes: bool = False
    given: frozenset[str] = frozenset()

    project: str = _option("", "ID", "default: gcloud's own", r"[a-z][a-z0-9-]{4,28}[a-z0-9]", "a project's id", "Where")
    region: str = _option(
        "us-central1", "NAME", "of everything, buckets included: they cannot move later", r"[a-z]+-[a-z]+[0-9]+",
        "a region such as us-central1",
    )  # fmt: skip
    prefix: str = _option(
        "sluice", "NAME", "starts every name, so that several deployments fit in one project", r"[a-z]([a-z0-9-]{0,17}[a-z0-9])?",
        "up to 19 lower-case letters, digits and hyphens: accounts have 30 at most",
    )  # fmt: skip
    env_file: str = _option("", "FILE", "lines such as KEEP_UPLOADS_DAYS=30: any option in capitals, with _ for -; flags win")

    allow_unauthenticated: str = _option(
        "", "[=LIST]", "open issuer and upload to strangers, or the services in LIST: issuer,upload,status",
        rf"(({DOORS})(,({DOORS}))*)?", "some of issuer,upload,status; no other service is for strangers", "Who may use it",
    )  # fmt: skip
    no_invoker_iam_check: str = _option(
        "", "", "open them without the grant to allUsers, which many organisations refuse: Cloud Run checks no caller of them",
        r"(yes)?", "no value, or yes",
    )  # fmt: skip
    origins: str = _option(
        "", "LIST", "web pages that may call the doors and use signed URLs, such as https://app.example,https://test.example",
        rf"({ORIGIN}(,{ORIGIN})*)?", "origins as browsers send them, such as https://app.example: in lower case, without a path",
    )  # fmt: skip
    gateway: str = _option(
        "", "URL", "API Gateway in front of upload, issuer and status, whose callers share its account; docs/limits.md",
        r'(https://[^,/ "]+)?', "a base URL such as https://sluice-1a2b3c.uc.gateway.dev, without a path",
    )  # fmt: skip
    notify: str = _option("", "EMAIL", "receives alerts", r'([^@ "]+@[^@ "]+)?', "an e-mail address")
    operators: str = _option(
        "", "LIST", "groups and users who work with ./sluice, such as group:ops@example.com,user:ann@example.com",
        rf"({MEMBER}(,{MEMBER})*)?", "members such as group:ops@example.com, with commas between them",
    )  # fmt: skip
    console_access: str = _option(
        "invoker", "iap|invoker", "invoker: through `gcloud run services proxy`; iap: Identity-Aware Proxy, at its own address",
        r"iap|invoker", "iap or invoker",
    )  # fmt: skip
    console_viewers: str = _option(
        "", "LIST", "groups and users who may open the console, written as those of --operators; up locks out all others",
        rf"({MEMBER}(,{MEMBER})*)?", "members such as group:staff@example.com, with commas between them",
    )  # fmt: skip
    console_operators: str = _option(
        "", "LIST", "e-mail addresses of the people who may act in the console, beside looking; groups are not possible here",
        rf"({EMAIL}(,{EMAIL})*)?", "e-mail addresses such as ann@example.com, with commas between them",
    )  # fmt: skip
    queue_auth: str = _option(
        "queue", "queue|task", "queue: the queue names the account that calls the processor; task: every task names it",
        r"queue|task", "queue or task",
    )  # fmt: skip

    extras: str = _option(
        "", "LIST", f"optional packages of the processors: {','.join(sorted(EXTRAS))}; docs/processors.md",
        rf"(({ANY_EXTRA})(,({ANY_EXTRA}))*)?", f"some of {','.join(sorted(EXTRAS))}", "What it opens",
    )  # fmt: skip

    base_image: str = _option(
        "python:3.11-slim-bookworm", "IMAGE", "what the image is built on: Python 3.11 on Debian, by tag or by digest",
        r"[a-z0-9][a-z0-9._/-]*(:[A-Za-z0-9._-]+)?(@sha256:[0-9a-f]{64})?", "an image such as python@sha256:… with all 64 digits",
    )  # fmt: skip

    clamd: str = _option(
        "", "HOST:PORT", "the clamd that steps with any.scan ask; docs/scanning.md", r"([^ \",/]+:[0-9]+|unix:/[^ \",]+)?",
        "host:port, or unix:/path",
    )  # fmt: skip
    service_origins: str = _option(
        "", "LIST", "origins that steps with service.call may call, such as https://tika.example.com; docs/services.md",
        r'(https?://[^,/ "]+(,https?://[^,/ "]+)*)?', "origins such as https://tika.example.com, without a path",
    )  # fmt: skip
    service_secrets: str = _option(
        "", "NAME", "the secret in Secret Manager whose newest version has the headers of these calls; docs/services.md",
        r"[A-Za-z0-9_-]{0,255}", "the name of a secret of this project",
    )  # fmt: skip

    instances: str = _option(
        "2", "N", "the most instances of upload, dispatcher, status and notifier; the issuer has half as many", *ABOVE_0,
        "How much",
    )  # fmt: skip
    min_instances: str = _option(
        "0", "N", "instances of upload, issuer, dispatcher and the pool `default` that wait for requests, also when none come",
        r"0|[1-9][0-9]{0,3}", "a whole number; 0: none",
    )  # fmt: skip
    budget: str = _option(
        "", "AMOUNT", "of the project in a month, such as 100 or 100EUR; a notice at 50, 90 and 100 %",
        r"([1-9][0-9]{0,11}([A-Z]{3})?)?", "a whole amount above 0, with the currency of the billing account or without",
    )  # fmt: skip
    max_file_bytes: str = _option("536870912", "N", "a file lies in the processor's memory while it is processed", *ABOVE_0)
    url_seconds: str = _option("900", "N", "validity of a signed URL, at most 43200", *ABOVE_0)
    keep_uploads_days: str = _option("0", "N", "uploads older than this are deleted; 0 keeps them for ever", *DAYS)
    keep_results_days: str = _option("0", "N", "the same for results; not 1 to 14", *RESULTS_DAYS)
    keep_notices_days: str = _option(
        "7", "N", "how far back a new subscription to the notices can seek; 0: not at all", *NOTICE_DAYS
    )
    guard_files_per_day: str = _option(
        "1000000", "N", "ended files of a day's uploads beyond which the runaway guard skips the others", *ABOVE_0
    )
    guard_runs_per_object: str = _option(
        "2000", "N", "ended runs of one object's uploads of a day beyond which it skips the others", *ABOVE_0
    )
    sweep_minutes: str = _option("60", "N", "time between two sweeps, which queue again what was lost; 0: none", *MINUTES)

    def variables(self) -> dict[str, str]:
        """Every option under the name that env-files and the list in deploy.sh use."""
        # An instance of the issuer signs for more files than the other services take.
        half = {"HALF_THE_INSTANCES": str(-(-int(self.instances) // 2))}
        return {name.upper(): str(getattr(self, name)) for name in NAMED} | half

    def check_values(self) -> None:
        """Raise Failed for the first value that its option does not take."""
        for name, option in NAMED.items():
            if not re.fullmatch(option["pattern"], getattr(self, name)):
                kept = "" if name in self.given else " (kept since the last up)"
                raise Failed(f"--{flag(name)} is '{getattr(self, name)}'{kept}; it takes {option['takes']}")

    def check(self) -> None:
        """Raise Failed for a wrong value, and for options, with those that are kept, that contradict each other."""
        self.check_values()
        if self.no_invoker_iam_check and not self.allow_unauthenticated:
            closed = "to close them, say --no-invoker-iam-check= too"
            raise Failed(f"--no-invoker-iam-check opens the services of --allow-unauthenticated, which names none; {closed}")


NAMED = {option.name: option.metadata for option in fields(Options) if option.metadata}
DEFAULTS: dict[str, str] = {option.name: option.default for option in fields(Options) if option.metadata}  # type: ignore[misc]


def flag(name: str) -> str:
    """The name of an option on the command line, without its hyphens."""
    return name.replace("_", "-")
