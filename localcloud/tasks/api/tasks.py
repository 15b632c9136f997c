"""The methods of tasks: projects.locations.queues.tasks."""

import re
from typing import Any

from google.api.httpbody_pb2 import HttpBody
from google.protobuf import json_format

from localcloud.errors import ApiError
from localcloud.tasks.api.paging import next_token, page_size, page_token, view
from localcloud.tasks.api.queues import existing
from localcloud.tasks.data.store import StoredQueue, StoredTask
from localcloud.tasks.messages import BASIC, FULL, CreateTaskRequest, ListTasksResponse, Task, copy, parse, parse_json, seconds
from localcloud.tasks.rules import names, target
from localcloud.tasks.rules import tasks as task_rules
from localcloud.tasks.service import Call, Reply, Service

MAX_PAGE = 1000


def create(service: Service, call: Call) -> Reply:
    """POST …/tasks"""
    request = parse(call.body, CreateTaskRequest())
    queue = existing(service, call.name)
    id_ = names.task_id(call.name, request.task.name) if request.task.name else ""
    return shown(_add(service, queue, id_, request.task), FULL if request.response_view == FULL else BASIC)


def get(service: Service, call: Call) -> Reply:
    """GET …/tasks/T"""
    return shown(_existing(service, call.name)[1].message, view(call.query.get("responseView", "")))


def list_(service: Service, call: Call) -> Reply:
    """GET …/tasks, in the order of creation"""
    queue = existing(service, call.name)
    wanted, after, count = view(call.query.get("responseView", "")), page_token(call.query), page_size(call.query, MAX_PAGE)
    if after and not re.fullmatch(r"[0-9]{1,18}", after):
        raise ApiError("INVALID_ARGUMENT", "Invalid value at 'page_token'.")
    found = service.store.page(queue, int(after or 0), count + 1)
    reply = ListTasksResponse(tasks=[shown(task.message, wanted) for task in found[:count]])
    if len(found) > count:
        reply.next_page_token = next_token(str(found[count - 1].key))
    return reply


def delete(service: Service, call: Call) -> Reply:
    """DELETE …/tasks/T"""
    _, task = _existing(service, call.name)
    service.store.remove_task(task, service.clock.time())
    return {}


def run(service: Service, call: Call) -> Reply:
    """POST …/tasks/T:run: an attempt now, even when the queue is paused or the task is being run."""
    wanted = view(str(parse_json(call.body).get("responseView", "")))
    queue, task = _existing(service, call.name)
    service.dispatcher.run(queue, task)
    return shown(task.message, wanted)


def buffer(service: Service, call: Call) -> Reply:
    """POST …/tasks:buffer: a task of nothing but a body; the queue's HTTP target says where it goes."""
    return _buffer(service, call, call.name, "")


def buffer_named(service: Service, call: Call) -> Reply:
    """POST …/tasks/T:buffer"""
    id_ = names.last(call.name)
    # gcloud without --task-id asks for `tasks/:buffer`.
    return _buffer(service, call, names.parent(call.name), names.check_task_id(id_) if id_ else "")


def shown(message: Any, wanted: int) -> Any:
    """The task as the view shows it: BASIC leaves out the body."""
    result = copy(message)
    result.view = wanted
    if wanted != FULL:
        result.http_request.ClearField("body")
    return result


def _buffer(service: Service, call: Call, queue_name: str, id_: str) -> Reply:
    queue = existing(service, queue_name)
    content_type, body = _http_body(call)
    task = Task()
    task.http_request.url = target.url_of(queue.message)
    task.http_request.body = body
    # "The default value is set to application/json" (target.proto, HttpTarget.header_overrides).
    task.http_request.headers["Content-Type"] = content_type or "application/json"
    message = shown(_add(service, queue, id_, task), BASIC)
    return {"task": json_format.MessageToDict(message)}


def _http_body(call: Call) -> tuple[str, bytes]:
    """The body as a google.api.HttpBody in JSON, or, from curl, just the bytes."""
    is_json = call.content_type.partition(";")[0] == "application/json" or not call.body
    body = _wrapped(call.body) if is_json else None
    return (call.content_type, call.body) if body is None else (body.content_type, body.data)


def _wrapped(text: bytes) -> Any:
    """The HttpBody of a BufferTaskRequest; None for all other text."""
    try:
        content = parse_json(text)
        if content.keys() <= {"body"} and isinstance(content.get("body", {}), dict):
            return json_format.ParseDict(content.get("body", {}), HttpBody())
    except (ApiError, json_format.ParseError):
        pass
    return None


def _add(service: Service, queue: StoredQueue, id_: str, asked: Any) -> Any:
    now = service.clock.time()
    name = f"{queue.message.name}/tasks/{id_ or names.new_task_id()}"
    message = task_rules.new_task(name, asked, now)
    if id_ and service.store.is_tombstone(queue, id_, now):
        raise ApiError("ALREADY_EXISTS", _TOO_RECENTLY)
    if not service.store.add_task(queue, message, seconds(message.schedule_time), named=bool(id_)):
        raise ApiError("ALREADY_EXISTS", "Requested entity already exists")
    service.dispatcher.task_added(queue)
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


def _existing(service: Service, name: str) -> tuple[StoredQueue, StoredTask]:
    queue, id_ = existing(service, names.parent(name)), names.last(name)
    if task := service.store.task(queue, id_):
        return queue, task
    is_gone = service.store.is_tombstone(queue, id_, service.clock.time())
    raise ApiError("NOT_FOUND", _GONE if is_gone else "Requested entity was not found.")
