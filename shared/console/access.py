"""The ways into the console: who looks, and who may act. `protection` keeps other sites out."""

import functools

from flask import Request

from shared import identity
from shared.callers import TOKEN_HEADERS
from shared.console import protection
from shared.console.viewer import Viewer
from shared.errors import Forbidden, Unauthorized
from shared.identity import Certificates
from shared.settings import Settings


class Access:
    """The way in that SLUICE_CONSOLE_ACCESS names. There is no other, and no fallback."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._keys = Certificates(functools.partial(identity.fetch, settings.iap_keys))

    def viewer(self, request: Request) -> Viewer:
        """The viewer of this request. Raises `Unauthorized`, `Forbidden`; `Unavailable` while keys cannot be fetched."""
        way = self._settings.console_access
        name = self._name(request, way)
        may_act = way == "loopback" or name in self._settings.operators
        return Viewer(name, may_act, protection.token(request, way), way)

    def _name(self, request: Request, way: str) -> str:
        if way == "iap":
            return self._asserted(request)
        if way == "invoker":
            return _checked_by_cloud_run(request)
        if way == "loopback" and protection.hostname(f"//{request.host}") in protection.LOOPBACK:
            return ""
        raise Forbidden("the console answers at 127.0.0.1 and localhost only; open it there")

    def _asserted(self, request: Request) -> str:
        """The name in Identity-Aware Proxy's assertion.

        Headers that it does not sign, such as x-goog-authenticated-user-email, do not count.
        """
        assertion = request.headers.get("x-goog-iap-jwt-assertion", "")
        if not assertion:
            raise Unauthorized("this request did not come through Identity-Aware Proxy; open the console's own address")
        return identity.asserted_email(assertion, self._keys, self._settings.iap_audience)


def _checked_by_cloud_run(request: Request) -> str:
    """The name in the token that Cloud Run checked before it passed the request on, with the signature taken away.

    Of two tokens Cloud Run checks one and passes the other one on as the caller wrote it: two are refused.
    Source: Cloud Run: authenticating service-to-service.
    """
    found = [request.headers[name] for name in TOKEN_HEADERS if name in request.headers]
    scheme, _, token = found[0].partition(" ") if len(found) == 1 else ("", "", "")
    if scheme.lower() != "bearer" or not token:
        raise Unauthorized("this request does not carry one token; open the console through `gcloud run services proxy`")
    return identity.unverified_email(token)
