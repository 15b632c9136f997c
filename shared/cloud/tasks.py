"""Cloud Tasks behind `Queue`: named tasks, delivered to a pool or the notifier with an identity token; queues."""

import functools
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import requests.exceptions
from google.api_core import exceptions
from google.auth import exceptions as auth_exceptions
from google.auth.credentials import AnonymousCredentials
from google.cloud import tasks_v2
from google.rpc import code_pb2

from shared import backfill_page, sweep_part
from shared.backfill_page import Page
from shared.cloud.protocols import Queued, QueueState
from shared.errors import Unavailable
from shared.model import canonical
from shared.plan import Task
from shared.routes import Routes
from shared.routes.keys import END_SECONDS
from shared.settings import Settings
from shared.sweep_part import Part
from shared.webhooks.deliveries import PATH as DELIVERIES_PATH
from shared.webhooks.deliveries import Delivery

TIMEOUT_SECONDS = 10
#: Cloud Tasks waits so long for the notifier, which ends an attempt after 15 seconds.
DELIVERY_SECONDS = 60
#: ... and so long for the sweeper, which ends a part after 25 minutes. It is the most that Cloud Tasks waits.
PART_SECONDS = 1800
#: Tasks in one answer of a list: the most that Cloud Tasks gives.
PAGE_TASKS = 1000

_UNAVAILABLE = (
    exceptions.TooManyRequests,
    exceptions.ServerError,
    exceptions.RetryError,
    exceptions.Unauthorized,  # a token that was revoked, or has expired
    exceptions.Forbidden,  # a grant that has not spread yet
    exceptions.NotFound,  # after a month without tasks, a queue answers this for some minutes
    auth_exceptions.TransportError,
    auth_exceptions.RefreshError,
    requests.exceptions.RequestException,  # the REST transport does not translate these
)


class CloudTasks:
    """The queues of pipeline.toml, through google-cloud-tasks over REST."""

    def __init__(self, settings: Settings, routes: Routes) -> None:
        self._settings = settings
        self._routes = routes

    @functools.cached_property
    def _client(self) -> tasks_v2.CloudTasksClient:
        client: tasks_v2.CloudTasksClient = _connect(tasks_v2.CloudTasksClient, self._settings.tasks_endpoint)
        return client

    @functools.cached_property
    def _statistics(self) -> Any:
        """The client of v2beta3: only that version has a queue's statistics."""
        from google.cloud import tasks_v2beta3

        return _connect(tasks_v2beta3.CloudTasksClient, self._settings.tasks_endpoint)

    def add(self, task: Task | Delivery | Part | Page) -> bool:
        queue = self._path(task.queue)
        request = self._request(queue, task)
        try:
            with _translated(task.queue):
                self._client.create_task(parent=queue, task=request, timeout=TIMEOUT_SECONDS)
        except exceptions.Conflict as error:
            if _is_taken(error):
                return False
            raise _unavailable(task.queue, error) from error
        return True

    def find(self, task: Task | Delivery | Page) -> Queued | None:
        with _translated(task.queue):
            try:
                return _queued(self._client.get_task(name=self._task_path(task), timeout=TIMEOUT_SECONDS))
            except exceptions.NotFound:
                return None

    def tasks(self, queue: str) -> Iterator[tuple[Task, Queued]]:
        # The pages are read one by one below: an error of a later page must be translated too, but not one of the caller's.
        request = tasks_v2.ListTasksRequest(
            parent=self._path(queue), response_view=tasks_v2.Task.View.FULL, page_size=PAGE_TASKS
        )
        with _translated(queue):
            pages = self._client.list_tasks(request, timeout=TIMEOUT_SECONDS).pages
        while True:
            with _translated(queue):
                page = next(pages, None)
            if page is None:
                return
            for found in page.tasks:
                task = _parsed(found.http_request.body)
                if task:
                    yield task, _queued(found)

    def delete(self, task: Task | Delivery) -> bool:
        with _translated(task.queue):
            try:
                self._client.delete_task(name=self._task_path(task), timeout=TIMEOUT_SECONDS)
            except exceptions.NotFound:
                return False
        return True

    def state(self, queue: str) -> QueueState:
        with _translated(queue):
            request = {"name": self._path(queue), "read_mask": "state,stats"}
            found = self._statistics.get_queue(request, timeout=TIMEOUT_SECONDS)
        stats = found.stats
        return QueueState(
            queue,
            is_paused=found.state.name != "RUNNING",
            depth=stats.tasks_count,
            running=stats.concurrent_dispatches_count,
            oldest=_rfc3339(stats.oldest_estimated_arrival_time),
            rate=stats.effective_execution_rate,
            last_minute=stats.executed_last_minute_count,
        )

    def names(self) -> Iterator[str]:
        prefix = self._path("")
        with _translated(f"{self._settings.queue_prefix}*"):
            for queue in self._client.list_queues(parent=prefix.partition("/queues/")[0], timeout=TIMEOUT_SECONDS):
                if queue.name.startswith(prefix):
                    yield queue.name.removeprefix(prefix)

    def pause(self, queue: str) -> None:
        with _translated(queue):
            self._client.pause_queue(name=self._path(queue), timeout=TIMEOUT_SECONDS)

    def resume(self, queue: str) -> None:
        with _translated(queue):
            self._client.resume_queue(name=self._path(queue), timeout=TIMEOUT_SECONDS)

    def _path(self, queue: str) -> str:
        settings = self._settings
        return f"projects/{settings.project}/locations/{settings.location}/queues/{settings.queue_prefix}{queue}"

    def _task_path(self, task: Task | Delivery | Page) -> str:
        return f"{self._path(task.queue)}/tasks/{task.name}"

    def _request(self, queue: str, task: Task | Delivery | Part | Page) -> Any:
        audience, path, seconds = self._target(task)
        wait = timedelta(seconds=task.wait_seconds if isinstance(task, Page) else 0)
        return {
            "name": f"{queue}/tasks/{task.name}",
            **({"schedule_time": datetime.now(UTC) + wait} if wait else {}),
            "dispatch_deadline": timedelta(seconds=seconds),
            "http_request": {
                "http_method": tasks_v2.HttpMethod.POST,
                "url": audience + path,
                "headers": {"content-type": "application/json"},
                "body": canonical(task.to_json()),
                **self._token(audience),
            },
        }

    def _target(self, task: Task | Delivery | Part | Page) -> tuple[str, str, int]:
        """The base URL of the service, the path there, and how long Cloud Tasks waits for an answer."""
        settings = self._settings
        if isinstance(task, Delivery):
            settings.require("notifier_url", "tasks_account")
            return settings.notifier_url, DELIVERIES_PATH, DELIVERY_SECONDS
        if isinstance(task, (Part, Page)):
            settings.require("sweeper_url", "tasks_account")
            path = sweep_part.PATH if isinstance(task, Part) else backfill_page.PATH
            return settings.sweeper_url, path, PART_SECONDS
        settings.require("processor_urls", "tasks_account")
        pool = self._routes.pool(task.queue)
        return settings.processor_url(pool.name), "", pool.deadline_seconds + END_SECONDS

    def _token(self, audience: str) -> dict[str, Any]:
        """Setting oidc_token needs actAs on the account.

        With queue_auth=queue the queue carries the token, so callers need no such right.
        """
        if self._settings.queue_auth == "queue":
            return {}
        return {"oidc_token": {"service_account_email": self._settings.tasks_account, "audience": audience}}


def _connect(client: Any, endpoint: str) -> Any:
    """A client of this class over REST."""
    options = {"credentials": AnonymousCredentials(), "client_options": {"api_endpoint": endpoint}} if endpoint else {}
    made = client(transport="rest", **options)
    # Cloud Run has neither a proxy nor a .netrc, and looking for them costs a fifth of a dispatch.
    # The client has no public access to its session.
    made.transport._session.trust_env = False
    return made


@contextmanager
def _translated(queue: str) -> Iterator[None]:
    """Raise `Unavailable` for an error that a retry may mend."""
    try:
        yield
    except _UNAVAILABLE as error:
        raise _unavailable(queue, error) from error


def _unavailable(queue: str, error: Exception) -> Unavailable:
    return Unavailable(f"queue {queue} is unavailable ({type(error).__name__}); retry")


def _is_taken(error: exceptions.Conflict) -> bool:
    """Whether a 409 means ALREADY_EXISTS.

    Over REST it may also mean ABORTED, which is to be retried; only the body differs.
    """
    try:
        return bool(error.response.json()["error"]["status"] == "ALREADY_EXISTS")
    except (AttributeError, ValueError, LookupError, TypeError):
        return False


def _queued(found: Any) -> Queued:
    # response_count leaves out attempts without an answer, such as those whose process was killed.
    is_running = found.dispatch_count > 0 and not found.last_attempt.response_time
    answer = code_pb2.Code.Name(found.last_attempt.response_status.code) if found.last_attempt.response_time else ""
    return Queued(found.dispatch_count, is_running, _rfc3339(found.schedule_time), answer)


def _parsed(body: bytes) -> Task | None:
    """The task in the body of a Cloud Tasks task, or None for another program's."""
    try:
        return Task.from_json(json.loads(body))
    except (ValueError, LookupError, TypeError, AttributeError, OverflowError, RecursionError):
        return None


def _rfc3339(time: datetime | None) -> str:
    return time.isoformat().replace("+00:00", "Z") if time else ""
