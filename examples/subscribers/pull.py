"""Keep the verdict of every file, once: a streaming pull with Google's client, and a memory of what was handled.

    pip install google-cloud-pubsub    # the project's .venv has it
    python pull.py completions

The argument is a subscription. On this machine `make up` has made it; its variables come from

    eval "$(.venv/bin/python -m local env)"

In Google Cloud: `eval "$(./deploy.sh env --project my-project)"`, then `python pull.py "$SLUICE_COMPLETIONS_TOPIC"`, as an account
with roles/pubsub.subscriber on the subscription. Each system needs a subscription of its own: gcloud.sh creates one.
"""

import json
import logging
import os
import signal
import sqlite3
import sys
from contextlib import closing

from google.cloud.pubsub_v1 import SubscriberClient
from google.cloud.pubsub_v1.subscriber.message import Message

DATABASE = os.environ.get("DATABASE", "verdicts.sqlite")
TABLES = """
CREATE TABLE IF NOT EXISTS handled (source TEXT, id TEXT, PRIMARY KEY (source, id));
CREATE TABLE IF NOT EXISTS verdicts (job TEXT, name TEXT, verdict TEXT, outputs TEXT);
"""


def work(message: Message, database: sqlite3.Connection) -> None:
    """Your work. What it writes to `database` happens once, whatever crashes.

    What it does elsewhere may happen twice after a crash: give it the ce-id as its key.
    """
    if message.attributes["ce-type"] == "sluice.job.finished.v1":
        job = json.loads(message.data)
        outputs = [output["object"] for step in job["steps"] for output in step["outputs"]]
        row = (job["job_id"], job["file"]["name"], job["verdict"], json.dumps(outputs))
        database.execute("INSERT INTO verdicts VALUES (?, ?, ?, ?)", row)
        print(job["verdict"], job["file"]["name"], flush=True)


def once(message: Message) -> None:
    """Work for a notice that is new. The memory of it and the work are one transaction."""
    with closing(sqlite3.connect(DATABASE, timeout=60)) as database, database:
        key = (message.attributes["ce-source"], message.attributes["ce-id"])
        if database.execute("INSERT OR IGNORE INTO handled VALUES (?, ?)", key).rowcount:
            work(message, database)


def take(message: Message) -> None:
    """Acknowledge a notice after the work. After an error Pub/Sub delivers it again."""
    try:
        once(message)
    except Exception:  # whatever the work raises, the other notices go on
        logging.exception("notice %s", message.attributes["ce-id"])
        message.nack()
    else:
        message.ack()


def main() -> None:
    """Pull until Ctrl-C or SIGTERM."""
    with closing(sqlite3.connect(DATABASE)) as database:
        database.executescript(TABLES)
    with SubscriberClient() as client:
        path = client.subscription_path(os.environ["GOOGLE_CLOUD_PROJECT"], sys.argv[1])
        pull = client.subscribe(path, take, await_callbacks_on_shutdown=True)
        for stop in (signal.SIGINT, signal.SIGTERM):
            signal.signal(stop, lambda *_: pull.cancel())
        pull.result()  # raises what ends the stream for good, such as a missing subscription


if __name__ == "__main__":
    main()
