"""Cloud Tasks behind `Queue`: named tasks, delivered to the processor with an identity token."""

import functools
from typing import Any

import requests.exceptions
from google.api_core import exceptions
from google.auth import exceptions as auth_exceptions
from google.auth.credentials import AnonymousCredentials
from google.cloud import tasks_v2

from shared.errors import Unavailable
from shared.model import Task, canonical
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
        settings.require("processor_url", "tasks_account")
        self._settings = settings

    @functools.cached_property
    def _client(self) -> tasks_v2.CloudTasksClient:
        endpoint = self._settings.tasks_endpoint
        if not endpoint:
            return tasks_v2.CloudTasksClient(transport="rest")
        options = {"api_endpoint": endpoint}
        return tasks_v2.CloudTasksClient(transport="rest", credentials=AnonymousCredentials(), client_options=options)

    def add(self, task: Task) -> bool:
        place = self._settings.project, self._settings.location, self._settings.queue_prefix + task.queue
        queue = "projects/{}/locations/{}/queues/{}".format(*place)
        try:
            self._client.create_task(parent=queue, task=self._request(queue, task), timeout=TIMEOUT_SECONDS)
        except exceptions.Conflict as error:
            if _is_taken(error):
                return False
            raise self._unavailable(task, error) from error
        except _UNAVAILABLE as error:
            raise self._unavailable(task, error) from error
        return True

    def _unavailable(self, task: Task, error: Exception) -> Unavailable:
        return Unavailable(f"queue {task.queue} is unavailable ({type(error).__name__}); retry")

    def _request(self, queue: str, task: Task) -> Any:
        return {
            "name": f"{queue}/tasks/{task.queue_name}",
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


def _is_taken(error: exceptions.Conflict) -> bool:
    """Whether a 409 means ALREADY_EXISTS.

    Over REST it may also mean ABORTED, which is to be retried; only the body differs.
    """
    try:
        return bool(error.response.json()["error"]["status"] == "ALREADY_EXISTS")
    except (AttributeError, ValueError, LookupError, TypeError):
        return False
