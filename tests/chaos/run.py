"""A run: send the files while components are killed, wait until all have ended, check, print."""

import math
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from local.services import all_ports
from localcloud.address import Ports
from tests.chaos import checker
from tests.chaos.checker import Findings
from tests.chaos.evidence import Evidence
from tests.chaos.fleet import Fleet
from tests.chaos.ledger import Ledger
from tests.chaos.reading import Results, Subscriber
from tests.chaos.sender import Sender
from tests.chaos.weather import Weather
from tests.eventually import eventually
from tests.ports import free_offset
from tests.receivers import SECRET, Receiver, receiving

PIPELINE = Path(__file__).with_name("pipeline.toml")
WEBHOOK = 'verdicts = ["failed"]'
POSTED = "failed"
SENDERS = 8
Plot = list[tuple[float, Callable[[], None]]]
#: A kill takes so long on average.
KILL_SECONDS = 1.7
SWEEP_AFTER_SECONDS = 10
#: A sweep lists all uploads and all entries: many files get fewer of them.
SWEEP_SECONDS, FILES_PER_SWEEP_SECOND = 10.0, 1000
#: Wait for what has not ended: then it is lost.
DRAIN_SECONDS, FILES_PER_DRAIN_SECOND = 180.0, 20


@dataclass
class Outcome:
    """The figures of a run and its violations."""

    files: int
    seed: int
    kills: Counter[str] = field(default_factory=Counter)
    done: Counter[str] = field(default_factory=Counter)
    ended: Counter[str] = field(default_factory=Counter)
    ledger: Ledger = field(default_factory=Ledger)
    findings: Findings = field(default_factory=Findings)
    attempts: int = 0
    notices: int = 0
    different_notices: int = 0
    run_seconds: float = 0.0
    drain_seconds: float = 0.0


def play(files: int, kills: int, seed: int, data: Path) -> Outcome:
    """Send so many files under at least so many kills. Raises AssertionError where a door did not take a file."""
    outcome, receiver = Outcome(files, seed), Receiver()
    fleet = Fleet(data, free_offset(lambda offset: all_ports(Ports(offset))), SWEEP_AFTER_SECONDS)
    fleet.variables["SLUICE_SECRET_TEST"] = SECRET
    with receiving(receiver):
        fleet.pipeline.write_text(PIPELINE.read_text() + receiver.toml("chaos", more=WEBHOOK))
        try:
            fleet.start()
            _play(fleet, outcome, kills, receiver)
        finally:
            fleet.stop()
            outcome.ledger.write(data / "ledger.ndjson")
    return outcome


def _play(fleet: Fleet, outcome: Outcome, kills: int, receiver: Receiver) -> None:
    weather = Weather(fleet, outcome.seed, SWEEP_SECONDS + outcome.files / FILES_PER_SWEEP_SECOND)
    weather.lose_and_repeat_notifications()
    results = Results(fleet.environment)
    results.keep_versions()
    begun = time.monotonic()
    with _subscribed(fleet) as subscriber:
        with weather.sweeping():
            with weather.blowing():
                _send(fleet, weather, outcome, kills)
            calm = time.monotonic()
            fleet.wait()
            _drain(subscriber, results, receiver, outcome)
        outcome.drain_seconds, outcome.run_seconds = time.monotonic() - calm, time.monotonic() - begun
        weather.count_calls()
        evidence = Evidence(results.read(), subscriber.told(), [(one.id, one.body) for one in receiver.posted])
    outcome.findings = checker.check(outcome.ledger, evidence, POSTED)
    outcome.kills, outcome.done, outcome.ended = fleet.kills, weather.done, fleet.ended
    outcome.attempts = weather.attempts
    outcome.notices, outcome.different_notices = subscriber.count, len(subscriber.ids)


@contextmanager
def _subscribed(fleet: Fleet) -> Iterator[Subscriber]:
    subscriber = Subscriber(fleet.environment)
    try:
        yield subscriber
    finally:
        subscriber.close()


def _send(fleet: Fleet, weather: Weather, outcome: Outcome, kills: int) -> None:
    """Send the files at an even pace, which lasts as long as the kills; kill until both are done."""
    sender, interval = Sender(fleet, outcome.ledger, outcome.seed), kills * KILL_SECONDS / outcome.files
    begun = time.monotonic()
    plot, sent = _plot(weather), 0
    with ThreadPoolExecutor(SENDERS) as pool:
        open_: set[Future[None]] = set()
        while sent < outcome.files or fleet.kills.total() < kills or open_:
            weather.wait()
            due = min(before_the_next(plot, outcome.files), int((time.monotonic() - begun) / interval) + 1)
            open_ |= {pool.submit(sender.send, number) for number in range(sent, due)}
            sent = due
            weather.kill_one()
            for one in [one for one in open_ if one.done()]:
                one.result()
                open_.remove(one)
            while plot and sent - len(open_) >= plot[0][0] * outcome.files:
                plot.pop(0)[1]()


def before_the_next(plot: Plot, files: int) -> int:
    """How many files may be sent before the next action: a slow machine would leave none for what it does."""
    return math.ceil(plot[0][0] * files) if plot else files


def _plot(weather: Weather) -> Plot:
    """The share of the files after which an action comes."""
    return [
        (0.2, weather.pause),
        (0.3, weather.resume),
        (0.35, weather.hold),
        (0.4, weather.configure),
        (0.65, weather.purge),
    ]


def _drain(subscriber: Subscriber, results: Results, receiver: Receiver, outcome: Outcome) -> None:
    """Wait for the last notice, entry and post; whatever does not come is found by the checker."""
    wanted = {checker.job_id(entry) for entry in outcome.ledger.entries}
    seconds = DRAIN_SECONDS + outcome.files / FILES_PER_DRAIN_SECOND
    looks: Sequence[Callable[[], bool]] = (
        lambda: wanted <= subscriber.ids,
        lambda: wanted <= results.ended(),
        lambda: subscriber.jobs(POSTED) <= set(receiver.took),
    )
    deadline = time.monotonic() + seconds
    for look in looks:
        with suppress(AssertionError):
            eventually(look, "the end", seconds=max(0.0, deadline - time.monotonic()), pause_seconds=0.5)
