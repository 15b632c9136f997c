"""A model of one queue after Cloud Tasks' documentation, without I/O, to compare the service with."""

from dataclasses import dataclass, field

#: The example of queue.proto's RetryConfig: 10 s, 300 s and 3 doublings.
BACKOFF = (10, 20, 40, 80, 160, 240, 300)
MAX_ATTEMPTS = 3
MAX_RETRY_SECONDS = 100
MAX_CONCURRENT = 2
NAME_SECONDS = 3600


@dataclass
class Known:
    """A task; `due` is None while an attempt is in flight."""

    id: str
    named: bool
    schedule: float
    due: float | None
    attempts: int = 0
    executions: int = 0
    first: float = 0.0


@dataclass
class Attempt:
    """A request that was sent; it may outlive its task."""

    task: Known
    retry_count: int
    execution_count: int
    in_turn: bool


@dataclass
class Reference:
    """One queue, its clock, and the attempts in flight."""

    now: float
    tasks: list[Known] = field(default_factory=list)
    taken: dict[str, float] = field(default_factory=dict)
    attempts: list[Attempt] = field(default_factory=list)
    paused: bool = False

    def find(self, id_: str) -> Known | None:
        """The task of that id."""
        return next((task for task in self.tasks if task.id == id_), None)

    def is_free(self, id_: str) -> bool:
        """Whether a task may be created with that id."""
        return self.find(id_) is None and self.taken.get(id_, 0) <= self.now

    def create(self, id_: str, named: bool, delay: float) -> None:
        """Add a task."""
        when = self.now + max(delay, 0)
        self.tasks.append(Known(id_, named, when, when))

    def remove(self, task: Known) -> None:
        """Remove a task that was done, given up, deleted or purged."""
        self.tasks.remove(task)
        if task.named:
            self.taken[task.id] = self.now + NAME_SECONDS

    def run(self, task: Known) -> None:
        """RunTask: attempt the task now, regardless of limits."""
        task.schedule = self.now
        self._begin(task, in_turn=False)

    def finish(self, attempt: Attempt, status: int | None) -> None:
        """End an attempt with an HTTP status, or without an answer (None)."""
        self.attempts.remove(attempt)
        task = attempt.task
        if all(known is not task for known in self.tasks):
            return
        if status is not None and 200 <= status < 300:
            self.remove(task)
            return
        task.executions += status is not None and status < 500
        if task.attempts >= MAX_ATTEMPTS and self.now - task.first >= MAX_RETRY_SECONDS:
            self.remove(task)
            return
        task.schedule = task.due = self.now + BACKOFF[min(task.attempts, len(BACKOFF)) - 1]

    def restart(self) -> None:
        """Kill and start the process: tasks in flight become due."""
        self.attempts.clear()
        for task in self.tasks:
            task.due = self.now if task.due is None else task.due

    def dispatch(self) -> None:
        """Start the tasks that are due, the longest due first, within the limit."""
        while not self.paused and sum(attempt.in_turn for attempt in self.attempts) < MAX_CONCURRENT:
            due = [task for task in self.tasks if task.due is not None and task.due <= self.now]
            if not due:
                return
            self._begin(min(due, key=lambda task: task.due or 0.0), in_turn=True)

    def turn(self, seconds: float) -> None:
        """Advance the time; each task is dispatched at the moment it becomes due."""
        end = self.now + seconds
        for moment in sorted({task.due for task in self.tasks if task.due is not None and self.now < task.due <= end}):
            self.now = moment
            self.dispatch()
        self.now = end
        self.dispatch()

    def next_due(self) -> float | None:
        """When the first waiting task is due; None without one."""
        return min((task.due for task in self.tasks if task.due is not None and task.due > self.now), default=None)

    def next_free(self) -> tuple[float, str] | None:
        """When the next taken name is free again, and that name; None without one."""
        return min(((until, id_) for id_, until in self.taken.items() if until > self.now), default=None)

    def _begin(self, task: Known, *, in_turn: bool) -> None:
        self.attempts.append(Attempt(task, task.attempts, task.executions, in_turn))
        task.first = task.first if task.attempts else self.now
        task.attempts += 1
        task.due = None
