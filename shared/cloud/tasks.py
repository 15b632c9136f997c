"""Cloud Tasks behind `Queue`: named tasks, delivered to the processor with an identity token."""

import functools
from datetime import datetime
from typing import Any, cast

import requests.exceptions
from google.api_core import exceptions
from google.auth import exceptions as auth_exceptions
from google.auth.credentials import AnonymousCredentials
from google.cloud import tasks_v2

from shared.cloud.protocols import Queued
from shared.errors import Unavailable
from shared.model import canonical
from shared.plan import Task
from shared.settings import Settings

TIMEOUT_SECONDS = 10

_UNAVAILABLE = (
    exceptions.TooManyRequests,
    exceptions.ServerError,
    exceptions.RetryError,
    exceptions.Forbidden,  # a grant that has not spread yet
    exceptions.NotFound,  # after a month without tasks, a queue answers this for some minutes
    auth_exceptions.TransportError,
    auth_exceptions.RefreshError,
    requests.exceptions.RequestException,  # the REST transport does not translate these
)


class CloudTasks:
    """The queues of pipeline.toml, through google-cloud-tasks over REST."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @functools.cached_property
    def _client(self) -> tasks_v2.CloudTasksClient:
        client = _connect(self._settings.tasks_endpoint)
        # Cloud Run has neither a proxy nor a .netrc, and looking for them costs a fifth of a dispatch.
        # The client has no public access to its session.
        transport: Any = client.transport
        transport._session.trust_env = False
        return client

    def add(self, task: Task) -> bool:
        self._settings.require("processor_url", "tasks_account")
        queue = self._queue(task)
        try:
            self._client.create_task(parent=queue, task=self._request(queue, task), timeout=TIMEOUT_SECONDS)
        except exceptions.Conflict as error:
            if _is_taken(error):
                return False
            raise self._unavailable(task, error) from error
        except _UNAVAILABLE as error:
            raise self._unavailable(task, error) from error
        return True

    def find(self, task: Task) -> Queued | None:
        try:
            found = self._client.get_task(name=f"{self._queue(task)}/tasks/{task.name}", timeout=TIMEOUT_SECONDS)
        except exceptions.NotFound:
            return None
        except _UNAVAILABLE as error:
            raise self._unavailable(task, error) from error
        due = cast("datetime | None", found.schedule_time)
        time = due.isoformat().replace("+00:00", "Z") if due else ""
        # response_count leaves out attempts without an answer, such as those whose process was killed.
        is_running = found.dispatch_count > 0 and not found.last_attempt.response_time
        return Queued(found.dispatch_count, is_running, time)

    def _queue(self, task: Task) -> str:
        settings = self._settings
        return f"projects/{settings.project}/locations/{settings.location}/queues/{settings.queue_prefix}{task.place.queue}"

    def _unavailable(self, task: Task, error: Exception) -> Unavailable:
        return Unavailable(f"queue {task.place.queue} is unavailable ({type(error).__name__}); retry")

    def _request(self, queue: str, task: Task) -> Any:
        return {
            "name": f"{queue}/tasks/{task.name}",
            "http_request": {
                "http_method": tasks_v2.HttpMethod.POST,
                "url": self._settings.processor_url,
                "headers": {"content-type": "application/json"},
                "body": canonical(task.to_json()),
                **self._token(),
            },
        }

    def _token(self) -> dict[str, Any]:
        """Setting oidc_token needs actAs on the account.

        With queue_auth=queue the queue carries the token, so callers need no such right.
        """
        if self._settings.queue_auth == "queue":
            return {}
        token = {"service_account_email": self._settings.tasks_account, "audience": self._settings.processor_url}
        return {"oidc_token": token}


def _connect(endpoint: str) -> tasks_v2.CloudTasksClient:
    if not endpoint:
        return tasks_v2.CloudTasksClient(transport="rest")
    options = {"api_endpoint": endpoint}
    return tasks_v2.CloudTasksClient(transport="rest", credentials=AnonymousCredentials(), client_options=options)


def _is_taken(error: exceptions.Conflict) -> bool:
    """Whether a 409 means ALREADY_EXISTS.

    Over REST it may also mean ABORTED, which is to be retried; only the body differs.
    """
    try:
        return bool(error.response.json()["error"]["status"] == "ALREADY_EXISTS")
    except (AttributeError, ValueError, LookupError, TypeError):
        return False
