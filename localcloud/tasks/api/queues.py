"""Methods of projects.locations.queues."""

from typing import Any

from google.protobuf import json_format

from localcloud.clock import rfc3339
from localcloud.errors import ApiError
from localcloud.protobuf import copy, set_time
from localcloud.tasks.api.call import Call, Reply
from localcloud.tasks.messages import (
    PAUSED,
    RUNNING,
    ListQueuesResponse,
    PauseQueueRequest,
    PurgeQueueRequest,
    Queue,
    ResumeQueueRequest,
)
from localcloud.tasks.model import StoredQueue
from localcloud.tasks.rules import names
from localcloud.tasks.rules import queues as rules
from localcloud.tasks.rules.pages import next_token, page_size, page_token

MAX_PAGE = 9800


def create(call: Call) -> Reply:
    """POST …/queues"""
    asked, zeros = _asked(call)
    location = names.check_location(call.name)
    name = names.check_queue(asked.name)
    if names.parent(name) != location:
        raise ApiError("INVALID_ARGUMENT", f"{name} must begin with {location}.")
    if call.store.queue(name):
        raise ApiError("ALREADY_EXISTS", "Queue already exists")
    return _add(call, rules.new_queue(name, asked, zeros))


def get(call: Call) -> Reply:
    """GET …/queues/Q"""
    return existing(call, call.name).message


def get_masked(call: Call) -> Reply:
    """GET /v2beta3/…/queues/Q: the fields of `readMask`; without it, all but `stats`."""
    queue = existing(call, call.name)
    shown = json_format.MessageToDict(queue.message)
    if "appEngineRoutingOverride" in shown:
        shown["appEngineHttpQueue"] = {"appEngineRoutingOverride": shown.pop("appEngineRoutingOverride")}
    wanted = rules.read_mask(call.query.get("readMask", ""))
    if "stats" in wanted:
        shown["stats"] = _stats(call, queue)
    return {field: value for field, value in shown.items() if not wanted or field in wanted}


def list_(call: Call) -> Reply:
    """GET …/queues, by name"""
    if call.query.get("filter"):
        raise ApiError("UNIMPLEMENTED", "queues.list: the local Cloud Tasks does not support filters.")
    prefix = names.check_location(call.name) + "/queues/"
    after, count = page_token(call.query), page_size(call.query, MAX_PAGE)
    found = [q.message for q in call.store.queues() if q.message.name.startswith(prefix) and q.message.name > after]
    reply = ListQueuesResponse(queues=found[:count])
    if len(found) > count:
        reply.next_page_token = next_token(found[count - 1].name)
    return reply


def update(call: Call) -> Reply:
    """PATCH …/queues/Q: changes the fields of updateMask; creates the queue when it is missing."""
    changes, zeros = _asked(call)
    name = names.check_queue(call.name)
    queue = call.store.queue(name)
    if queue is None:
        return _add(call, rules.new_queue(name, changes, zeros))
    queue.message = rules.updated(queue.message, changes, call.query.get("updateMask"), zeros)
    return _save(call, queue)


def delete(call: Call) -> Reply:
    """DELETE …/queues/Q. The name is free at once.

    Google blocks it for up to three days (cloudtasks.proto, DeleteQueue).
    """
    queue = call.store.queue(call.name)
    if queue is None:
        raise ApiError("NOT_FOUND", "Requested entity was not found.")
    call.store.remove_queue(queue)
    call.dispatcher.queue_removed(queue)
    return {}


def pause(call: Call) -> Reply:
    """POST …/queues/Q:pause"""
    call.message(PauseQueueRequest())
    return _set_state(call, PAUSED)


def resume(call: Call) -> Reply:
    """POST …/queues/Q:resume"""
    call.message(ResumeQueueRequest())
    return _set_state(call, RUNNING)


def purge(call: Call) -> Reply:
    """POST …/queues/Q:purge"""
    call.message(PurgeQueueRequest())
    queue = existing(call, call.name)
    call.store.purge(queue, call.now)
    queue.message = copy(queue.message)
    set_time(queue.message.purge_time, call.now)
    return _save(call, queue)


def existing(call: Call, name: str) -> StoredQueue:
    """The queue of that full name. Raises `ApiError` (NOT_FOUND; INVALID_ARGUMENT for a malformed name)."""
    queue = call.store.queue(name)
    if queue is None:
        names.check_queue(name)
        waiting = "If you just created the queue, wait at least a minute for the queue to initialize."
        raise ApiError("NOT_FOUND", f"Queue does not exist. {waiting}")
    return queue


def _stats(call: Call, queue: StoredQueue) -> dict[str, object]:
    """QueueStats of v2beta3, in JSON."""
    oldest, now = call.store.next_due(queue), call.dispatcher.statistics(queue)
    due = {"oldestEstimatedArrivalTime": rfc3339(oldest)} if oldest is not None else {}
    return {
        "tasksCount": str(call.store.count(queue)),
        **due,
        "executedLastMinuteCount": str(now.last_minute),
        "concurrentDispatchesCount": str(now.under_way),
        "effectiveExecutionRate": now.rate,
    }


def _set_state(call: Call, state: int) -> Reply:
    queue = existing(call, call.name)
    queue.message.state = state
    return _save(call, queue)


def _asked(call: Call) -> tuple[Any, set[str]]:
    """The queue in the body, and the paths of the numbers that the body sets to 0."""
    asked = call.message(Queue())
    return asked, rules.zeros(call.json(), asked)


def _add(call: Call, message: Any) -> Reply:
    queue = call.store.add_queue(message)
    call.dispatcher.queue_added(queue)
    return queue.message


def _save(call: Call, queue: StoredQueue) -> Reply:
    call.store.save_queue(queue)
    call.dispatcher.queue_changed(queue)
    return queue.message
