"""The checks of all settings together: a wrong one would lose files, or let strangers in. Pure."""

from typing import TYPE_CHECKING

from shared.errors import BadConfiguration

if TYPE_CHECKING:  # it loads this module
    from shared.settings import Settings

GOOGLE_ISSUER = "https://accounts.google.com"
GOOGLE_CERTIFICATES = "https://www.googleapis.com/oauth2/v1/certs"
IAP_KEYS = "https://www.gstatic.com/iap/verify/public_key"
#: Cloud Storage: V4 signing, longest expiration
MAX_URL_SECONDS = 7 * 24 * 3600
#: Google rotates the keys of signBlob: its signatures hold for 12 hours, longer ones may fail before their end
#: (https://docs.cloud.google.com/storage/docs/authentication/creating-signatures).
MAX_SIGNBLOB_SECONDS = 12 * 3600
#: Shortest secret that keys are mixed with: 32 hexadecimal digits have 128 bits.
MIN_SECRET = 32


def check(settings: "Settings", *, is_deployed: bool) -> None:
    """Refuse settings that contradict each other or the place. Raises `BadConfiguration` naming the variable."""
    _check_names(settings)
    _check_access(settings, is_deployed=is_deployed)
    _check_callers(settings.callers, settings.key_secret, is_deployed=is_deployed)
    if is_deployed:
        _trust_only_google(settings)
        _check_signatures(settings)
        if settings.webhook_loopback:
            raise BadConfiguration("SLUICE_WEBHOOK_LOOPBACK is set; on Cloud Run no receiver is on this computer: unset it")


def _check_names(settings: "Settings") -> None:
    if settings.uploads_bucket == settings.results_bucket:
        raise BadConfiguration(
            "SLUICE_RESULTS_BUCKET is the uploads bucket: each result would be processed as a new upload; set another bucket"
        )
    if settings.completions_topic == settings.dead_letters_topic:
        raise BadConfiguration(
            "SLUICE_DEAD_LETTERS_TOPIC is the completions topic: subscribers would get unreadable messages; set another topic"
        )
    if settings.uploads_topic in (settings.completions_topic, settings.dead_letters_topic):
        raise BadConfiguration(
            "SLUICE_UPLOADS_TOPIC is the topic of notices or of dead letters: the dispatcher would get its own; set another topic"
        )
    if settings.queue_auth not in ("task", "queue"):
        raise BadConfiguration(f"SLUICE_QUEUE_AUTH is {settings.queue_auth!r}; set it to `task` or `queue`")
    if settings.url_seconds > MAX_URL_SECONDS:
        raise BadConfiguration(f"SLUICE_URL_SECONDS is {settings.url_seconds}; Cloud Storage allows at most {MAX_URL_SECONDS}")


def _check_access(settings: "Settings", *, is_deployed: bool) -> None:
    """Refuse a way into the console that would let strangers in."""
    variable, way = "SLUICE_CONSOLE_ACCESS", settings.console_access
    if way not in ("", "loopback", "iap", "invoker"):
        raise BadConfiguration(f"{variable} is {way[:80]!r}; set it to `loopback`, `iap` or `invoker`")
    if way == "loopback" and is_deployed:
        raise BadConfiguration(f"{variable} is loopback, which asks for no name; on Cloud Run set it to `iap` or `invoker`")
    if way == "invoker" and not is_deployed:
        raise BadConfiguration(f"{variable} is invoker, which relies on Cloud Run's check; elsewhere set `loopback` or `iap`")
    if way == "iap" and not settings.iap_audience:
        audience = "/projects/NUMBER/locations/REGION/services/SERVICE"
        raise BadConfiguration(f"set SLUICE_IAP_AUDIENCE to {audience}; see docs/console.md")


def _trust_only_google(settings: "Settings") -> None:
    for name, right in (("token_issuer", GOOGLE_ISSUER), ("token_certificates", GOOGLE_CERTIFICATES), ("iap_keys", IAP_KEYS)):
        if getattr(settings, name) != right:
            variable = f"SLUICE_{name.upper()}"
            raise BadConfiguration(
                f"{variable} is not Google's ({right}); on Cloud Run this would admit forged callers: unset it"
            )


def _check_signatures(settings: "Settings") -> None:
    """Refuse signed URLs that would fail before the time that clients are told."""
    by_api = (settings.signer and not settings.signer_key) or (settings.reader and not settings.reader_key)
    if by_api and settings.url_seconds > MAX_SIGNBLOB_SECONDS:
        limit = f"what the IAM API signs is valid for {MAX_SIGNBLOB_SECONDS} seconds at most"
        raise BadConfiguration(f"SLUICE_URL_SECONDS is {settings.url_seconds}; {limit}: set a lower number")


def _check_callers(way: str, secret: str, *, is_deployed: bool) -> None:
    """Refuse settings by which a stranger could be taken for another caller, or guess what others' keys lead to."""
    variable = "SLUICE_CALLERS"
    if way not in ("verified", "open", "shared"):
        raise BadConfiguration(f"{variable} is {way[:80]!r}; set it to `verified`, `open` or `shared`")
    if way == "verified" and not is_deployed:
        raise BadConfiguration(f"{variable} is verified, which relies on Cloud Run's check; elsewhere set it to `open`")
    if secret and len(secret.strip()) < MIN_SECRET:
        remedy = "make one with `openssl rand -hex 32`"
        raise BadConfiguration(f"SLUICE_KEY_SECRET has fewer than {MIN_SECRET} characters; {remedy}")
