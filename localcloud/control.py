"""The control API: paths on the port of Cloud Tasks that Google does not have, and the client of their commands."""

import argparse
import json
import urllib.error
import urllib.request
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from localcloud.address import HOST, Ports
from localcloud.errors import ApiError
from localcloud.http import Answer, App, Receive, Request, Scope, Send, asgi_app, json_answer

Control = Callable[[Request], Awaitable[Answer]]


def with_control(app: App, controls: Mapping[str, Control]) -> App:
    """The app, with a control at each of these paths."""
    apps = {path: asgi_app(control, _refuse) for path, control in controls.items()}

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        control = apps.get(scope["path"]) if scope["type"] == "http" else None
        await (control or app)(scope, receive, send)

    return wrapped


def ask(method: str, path: str, options: argparse.Namespace, body: Mapping[str, Any] | None = None) -> Any:
    """The answer of a running local cloud. Raises SystemExit with a message when it refuses or does not run."""
    url = f"http://{HOST}:{Ports(options.port_offset).tasks}{path}"
    content = json.dumps(body).encode() if body else None
    request = urllib.request.Request(url, content, {"content-type": "application/json"}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
            return json.load(answer)
    except urllib.error.HTTPError as error:
        raise SystemExit(f"error: {json.load(error)['error']}") from None
    except OSError:
        raise SystemExit(f"error: no local cloud answers at {url}; start one: python -m localcloud up") from None


def _refuse(_request: Request, error: ApiError) -> Answer:
    return json_answer({"error": error.message}, error.http_code)
