"""The methods of queues: projects.locations.queues."""

from typing import Any

from localcloud.errors import ApiError
from localcloud.tasks.api.paging import next_token, page_size, page_token
from localcloud.tasks.data.store import StoredQueue
from localcloud.tasks.messages import PAUSED, RUNNING, ListQueuesResponse, Queue, copy, parse, parse_json, set_time
from localcloud.tasks.rules import names
from localcloud.tasks.rules import queues as queue_rules
from localcloud.tasks.service import Call, Reply, Service

MAX_PAGE = 9800


def create(service: Service, call: Call) -> Reply:
    """POST …/queues"""
    asked, zeros = _asked(call)
    location = names.check_location(call.name)
    name = names.check_queue(asked.name)
    if names.parent(name) != location:
        raise ApiError("INVALID_ARGUMENT", f"{name} must begin with {location}.")
    if service.store.queue(name):
        raise ApiError("ALREADY_EXISTS", "Queue already exists")
    return _add(service, queue_rules.new_queue(name, asked, zeros))


def get(service: Service, call: Call) -> Reply:
    """GET …/queues/Q"""
    return existing(service, call.name).message


def list_(service: Service, call: Call) -> Reply:
    """GET …/queues"""
    if call.query.get("filter"):
        raise ApiError("UNIMPLEMENTED", "queues.list: the local Cloud Tasks does not filter.")
    prefix = names.check_location(call.name) + "/queues/"
    after, count = page_token(call.query), page_size(call.query, MAX_PAGE)
    found = [q.message for q in service.store.queues() if q.message.name.startswith(prefix) and q.message.name > after]
    reply = ListQueuesResponse(queues=found[:count])
    if len(found) > count:
        reply.next_page_token = next_token(found[count - 1].name)
    return reply


def update(service: Service, call: Call) -> Reply:
    """PATCH …/queues/Q: changes the fields of updateMask, and creates a queue that is missing."""
    changes, zeros = _asked(call)
    name = names.check_queue(call.name)
    queue = service.store.queue(name)
    if queue is None:
        return _add(service, queue_rules.new_queue(name, changes, zeros))
    queue.message = queue_rules.updated(queue.message, changes, call.query.get("updateMask"), zeros)
    return _save(service, queue)


def delete(service: Service, call: Call) -> Reply:
    """DELETE …/queues/Q. Its name is free at once; Google keeps it for up to three days (cloudtasks.proto, DeleteQueue)."""
    queue = service.store.queue(call.name)
    if queue is None:
        raise ApiError("NOT_FOUND", "Requested entity was not found.")
    service.store.remove_queue(queue)
    service.dispatcher.queue_removed(queue)
    return {}


def pause(service: Service, call: Call) -> Reply:
    """POST …/queues/Q:pause"""
    return _set_state(service, call, PAUSED)


def resume(service: Service, call: Call) -> Reply:
    """POST …/queues/Q:resume"""
    return _set_state(service, call, RUNNING)


def purge(service: Service, call: Call) -> Reply:
    """POST …/queues/Q:purge"""
    queue = existing(service, call.name)
    now = service.clock.time()
    service.store.purge(queue, now)
    queue.message = copy(queue.message)
    set_time(queue.message.purge_time, now)
    return _save(service, queue)


def existing(service: Service, name: str) -> StoredQueue:
    """The queue of that full name."""
    queue = service.store.queue(name)
    if queue is None:
        names.check_queue(name)
        waiting = "If you just created the queue, wait at least a minute for the queue to initialize."
        raise ApiError("NOT_FOUND", f"Queue does not exist. {waiting}")
    return queue


def _set_state(service: Service, call: Call, state: int) -> Reply:
    queue = existing(service, call.name)
    queue.message.state = state
    return _save(service, queue)


def _asked(call: Call) -> tuple[Any, set[str]]:
    """The queue of the body, and which of its numbers are 0 because the body says so."""
    content = parse_json(call.body)
    asked = parse(call.body, Queue())
    return asked, queue_rules.zeros(content, asked)


def _add(service: Service, message: Any) -> Reply:
    queue = service.store.add_queue(message)
    service.dispatcher.queue_added(queue)
    return queue.message


def _save(service: Service, queue: StoredQueue) -> Reply:
    service.store.save_queue(queue)
    service.dispatcher.queue_changed(queue)
    return queue.message
