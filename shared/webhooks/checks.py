"""The check of webhooks at start-up: a URL that can never be called is refused, a bad secret is logged."""

import ipaddress

from shared import log, origins
from shared.errors import BadConfiguration, Unavailable
from shared.origins import LOOPBACK
from shared.routes import Routes, Webhook
from shared.settings import Settings
from shared.webhooks import addresses


def check(routes: Routes, settings: Settings) -> None:
    """Raises `BadConfiguration` naming every webhook whose URL no delivery can reach.

    A secret may be wrong today and right tomorrow, and the other webhooks do not wait for it: it is logged.
    """
    from shared.webhooks import signing  # by an installed package, without which deploy.sh checks URLs

    faults = [found for webhook in routes.webhooks.values() if (found := fault(webhook, loopback=settings.webhook_loopback))]
    if faults:
        raise BadConfiguration("\n".join(faults))
    for webhook in routes.webhooks.values():
        try:
            signing.keys(webhook, settings)
        except Unavailable as error:
            log.error("a webhook has no secret", webhook=webhook.name, error=error.message)


def fault(webhook: Webhook, *, loopback: bool) -> str:
    """The fault of a URL that no delivery can reach, and its remedy; else empty. `loopback` allows this computer."""
    host, path = origins.of(webhook.url).host, f"webhooks.{webhook.name}.url"
    try:
        ip = ipaddress.ip_address(host)
    except ValueError:
        ip = None
    if host in LOOPBACK or (ip and ip.is_loopback):
        if loopback:
            return ""
        return f"{path}: {host} is this computer; set SLUICE_WEBHOOK_LOOPBACK=1, which is not possible on Cloud Run"
    return f"{path}: {ip} is no public address; write another host" if ip and not addresses.is_public(ip) else ""
