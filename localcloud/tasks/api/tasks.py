"""Methods of projects.locations.queues.tasks."""

import re
from typing import Any

from google.api.httpbody_pb2 import HttpBody
from google.protobuf import json_format

from localcloud.errors import ApiError
from localcloud.http import parse_json
from localcloud.protobuf import copy, seconds
from localcloud.tasks.api.call import Call, Reply
from localcloud.tasks.api.queues import existing
from localcloud.tasks.messages import BASIC, FULL, CreateTaskRequest, ListTasksResponse, RunTaskRequest, Task
from localcloud.tasks.model import StoredQueue, StoredTask
from localcloud.tasks.rules import http_target, names
from localcloud.tasks.rules import tasks as rules
from localcloud.tasks.rules.pages import next_token, page_size, page_token

MAX_PAGE = 1000


def create(call: Call) -> Reply:
    """POST …/tasks"""
    request = call.message(CreateTaskRequest())
    queue = existing(call, call.name)
    id_ = names.task_id(call.name, request.task.name) if request.task.name else ""
    return shown(_add(call, queue, id_, request.task), FULL if request.response_view == FULL else BASIC)


def get(call: Call) -> Reply:
    """GET …/tasks/T"""
    return shown(_existing(call, call.name)[1].message, rules.view(call.query.get("responseView", "")))


def list_(call: Call) -> Reply:
    """GET …/tasks, in the order of creation"""
    queue = existing(call, call.name)
    wanted, after = rules.view(call.query.get("responseView", "")), page_token(call.query)
    if after and not re.fullmatch(r"[0-9]{1,18}", after):
        raise ApiError("INVALID_ARGUMENT", "Invalid value at 'page_token'.")
    count = page_size(call.query, MAX_PAGE)
    found = call.store.page(queue, int(after or 0), count + 1)
    tasks = rules.page([shown(task.message, wanted) for task in found[:count]])
    reply = ListTasksResponse(tasks=tasks)
    if len(found) > len(tasks):
        reply.next_page_token = next_token(str(found[len(tasks) - 1].key))
    return reply


def delete(call: Call) -> Reply:
    """DELETE …/tasks/T"""
    _, task = _existing(call, call.name)
    call.store.remove_task(task, call.now)
    return {}


def run(call: Call) -> Reply:
    """POST …/tasks/T:run: attempts the task now, even when its queue is paused or an attempt is in flight."""
    wanted = rules.view(str(call.message(RunTaskRequest()).response_view))
    queue, task = _existing(call, call.name)
    call.dispatcher.run(queue, task)
    return shown(task.message, wanted)


def buffer(call: Call) -> Reply:
    """POST …/tasks:buffer: creates a task from a body alone; the queue's HTTP target supplies its URL."""
    return _buffer(call, call.name, "")


def buffer_named(call: Call) -> Reply:
    """POST …/tasks/T:buffer"""
    id_ = names.last(call.name)
    # gcloud without --task-id asks for `tasks/:buffer`.
    return _buffer(call, names.parent(call.name), names.check_task_id(id_) if id_ else "")


def shown(message: Any, wanted: int) -> Any:
    """A copy of the task for a view: BASIC omits the body."""
    result = copy(message)
    result.view = wanted
    if wanted != FULL:
        result.http_request.ClearField("body")
    return result


def _buffer(call: Call, queue_name: str, id_: str) -> Reply:
    queue = existing(call, queue_name)
    content_type, body = _http_body(call)
    task = Task()
    task.http_request.url = http_target.url_of(queue.message)
    task.http_request.body = body
    # "The default value is set to application/json" (target.proto, HttpTarget.header_overrides).
    task.http_request.headers["Content-Type"] = content_type or "application/json"
    message = shown(_add(call, queue, id_, task), BASIC)
    return {"task": json_format.MessageToDict(message)}


def _http_body(call: Call) -> tuple[str, bytes]:
    """Content type and data: those of a google.api.HttpBody in JSON, otherwise those of the request itself."""
    is_json = call.content_type.partition(";")[0] == "application/json" and not call.body.isspace()
    body = _wrapped(call.body) if is_json or not call.body else None
    return (call.content_type, call.body) if body is None else (body.content_type, body.data)


def _wrapped(text: bytes) -> Any:
    """The HttpBody in a BufferTaskRequest; None for any other text."""
    try:
        content = parse_json(text)
        if content.keys() <= {"body"} and isinstance(content.get("body", {}), dict):
            return json_format.ParseDict(content.get("body", {}), HttpBody())
    except (ApiError, json_format.ParseError):
        pass
    return None


def _add(call: Call, queue: StoredQueue, id_: str, asked: Any) -> Any:
    name = f"{queue.message.name}/tasks/{id_ or names.new_task_id()}"
    message = rules.new_task(name, asked, call.now)
    if id_ and call.store.is_tombstone(queue, id_, call.now):
        raise ApiError("ALREADY_EXISTS", _TOO_RECENTLY)
    if not call.store.add_task(queue, message, seconds(message.schedule_time), named=bool(id_)):
        raise ApiError("ALREADY_EXISTS", "Requested entity already exists")
    call.dispatcher.task_added(queue)
    return message


_TOO_RECENTLY = (
    "The task cannot be created because a task with this name existed too recently. For more information about task "
    "de-duplication see https://cloud.google.com/tasks/docs/reference/rest/v2/projects.locations.queues.tasks/create"
    "#body.request_body.FIELDS.task."
)
_GONE = (
    "The task no longer exists, though a task with this name existed recently. "
    "The task either successfully completed or was deleted."
)


def _existing(call: Call, name: str) -> tuple[StoredQueue, StoredTask]:
    queue, id_ = existing(call, names.queue_of_task(name)), names.last(name)
    if task := call.store.task(queue, id_):
        return queue, task
    is_gone = call.store.is_tombstone(queue, id_, call.now)
    raise ApiError("NOT_FOUND", _GONE if is_gone else "Requested entity was not found.")
