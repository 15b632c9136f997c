"""Cloud Tasks behind `Queue`: named tasks, delivered to the processor with an identity token.

One method of its REST API, called without google-cloud-tasks: loading that library is a fifth of the dispatcher's cold start.
"""

import base64
import functools
from typing import Any

import google.auth
import requests.exceptions
from google.auth import exceptions as auth_exceptions
from google.auth.credentials import AnonymousCredentials
from google.auth.transport.requests import AuthorizedSession

from shared.errors import Unavailable
from shared.model import Task, canonical
from shared.settings import Settings

ENDPOINT = "https://cloudtasks.googleapis.com"
TIMEOUT_SECONDS = 10

_SCOPE = "https://www.googleapis.com/auth/cloud-platform"
_ALREADY_EXISTS = 409
#: 404: a queue that was idle for a month answers so for minutes while it wakes up.
_UNAVAILABLE_STATUS = (404, 429)


class CloudTasks:
    """The queues of pipeline.toml. Source: Cloud Tasks REST reference, projects.locations.queues.tasks.create."""

    def __init__(self, settings: Settings) -> None:
        settings.require("processor_url", "tasks_account")
        self._settings = settings

    @functools.cached_property
    def _session(self) -> AuthorizedSession:
        if self._settings.tasks_endpoint:
            return AuthorizedSession(AnonymousCredentials())
        credentials, _project = google.auth.default(scopes=[_SCOPE])
        return AuthorizedSession(credentials)

    def add(self, task: Task) -> bool:
        place = self._settings.project, self._settings.location, self._settings.queue_prefix + task.queue
        queue = "projects/{}/locations/{}/queues/{}".format(*place)
        url = f"{self._settings.tasks_endpoint or ENDPOINT}/v2/{queue}/tasks"
        try:
            answer = self._session.post(url, json={"task": self._request(queue, task)}, timeout=TIMEOUT_SECONDS)
        except (requests.exceptions.RequestException, auth_exceptions.TransportError, auth_exceptions.RefreshError) as error:
            raise Unavailable(f"queue {task.queue} cannot be used now: {type(error).__name__}") from error
        if answer.status_code in _UNAVAILABLE_STATUS or answer.status_code >= 500:
            raise Unavailable(f"queue {task.queue} cannot be used now: {answer.status_code}")
        if answer.status_code == _ALREADY_EXISTS:
            return False
        answer.raise_for_status()
        return True

    def _request(self, queue: str, task: Task) -> Any:
        return {
            "name": f"{queue}/tasks/{task.queue_name}",
            "httpRequest": {
                "httpMethod": "POST",
                "url": self._settings.processor_url,
                "headers": {"content-type": "application/json"},
                "body": base64.b64encode(canonical(task.to_json())).decode(),
                **self._token(),
            },
        }

    def _token(self) -> dict[str, Any]:
        """Naming an account takes the right to act as it; a queue that names it itself spares us that right."""
        if self._settings.queue_auth == "queue":
            return {}
        return {"oidcToken": {"serviceAccountEmail": self._settings.tasks_account, "audience": self._settings.processor_url}}
