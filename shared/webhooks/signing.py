"""The secrets of webhooks, and the signature of a request. Source: Standard Webhooks 1.0.0, https://www.standardwebhooks.com."""

import base64
import binascii
from datetime import UTC, datetime

from standardwebhooks import Webhook as Signer

from shared import settings as configuration
from shared.errors import Unavailable
from shared.routes import Webhook
from shared.settings import Settings

PREFIX = "whsec_"
#: Of a key, as the specification has it.
LEAST_BYTES, MOST_BYTES = 24, 64
#: The new key and the old one, while the secret rotates.
MAX_KEYS = 2
#: Longest secret that is read.
MAX_SECRET_BYTES = 1 << 12


def keys(webhook: Webhook, settings: Settings) -> list[str]:
    """The keys of this webhook's secret, read anew. Raises `Unavailable` with the place of a wrong one."""
    place, text = _secret(webhook, settings)
    found = text.split()
    if not 1 <= len(found) <= MAX_KEYS or not all(map(_is_key, found)):
        problem = "holds something else than keys" if found else "is missing or empty"
        remedy = f"write one or two keys: {PREFIX} and the base64 of {LEAST_BYTES} to {MOST_BYTES} bytes"
        raise Unavailable(f"the secret of webhook {webhook.name}, {place}, {problem}; {remedy}")
    return found


def _secret(webhook: Webhook, settings: Settings) -> tuple[str, str]:
    """Where the secret is, for messages, and its text."""
    kind, _, name = webhook.secret.partition(":")
    if kind == "env":
        return f"the variable {name}", configuration.secret(name)
    path = settings.webhook_secrets / name / "value"
    try:
        with path.open("rb") as file:
            return f"the file {path}", file.read(MAX_SECRET_BYTES).decode(errors="replace")
    except OSError:
        return f"the file {path}", ""


def _is_key(text: str) -> bool:
    try:
        key = base64.b64decode(text.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        return False
    return text.startswith(PREFIX) and LEAST_BYTES <= len(key) <= MOST_BYTES


def headers(event: str, body: bytes, keys: list[str], seconds: float) -> dict[str, str]:
    """The headers of a request that is sent now, `seconds` after the epoch: signed by each of the keys."""
    now, text = datetime.fromtimestamp(int(seconds), UTC), body.decode()
    signatures = [Signer(key).sign(event, now, text) for key in keys]
    return {"webhook-id": event, "webhook-timestamp": str(int(seconds)), "webhook-signature": " ".join(signatures)}
