"""Receive webhooks: print every file that has ended, once. Each request proves with a signature who sent it.

    pip install flask standardwebhooks gunicorn    # the project's .venv has them
    export SECRET="whsec_$(openssl rand -base64 32)"
    gunicorn --bind 127.0.0.1:8072 receiver:app

docs/webhooks.md says how pipeline.toml has it called, with the same secret. While the secret rotates, Sluice signs with both keys:
this program needs the one or the other.
"""

import os
import sqlite3
from contextlib import closing
from typing import Any

from flask import Flask, request
from standardwebhooks import Webhook, WebhookVerificationError

#: A file suits one instance. On Cloud Run, take your database.
MEMORY = os.environ.get("MEMORY", "handled.sqlite")

app = Flask(__name__)
app.config["MAX_CONTENT_LENGTH"] = 20_000_000  # a notice has at most 10 MB
webhook = Webhook(os.environ["SECRET"])


@app.post("/")
def receive() -> tuple[str, int]:
    """Work, then answer 204. After any error, and after 15 seconds without an answer, the same event comes again."""
    try:
        event = webhook.verify(request.get_data(), {name.lower(): value for name, value in request.headers.items()})
    except (WebhookVerificationError, ValueError):  # no signature of ours, older than five minutes, or malformed
        return "", 401
    with closing(sqlite3.connect(MEMORY, timeout=60)) as database, database:
        database.execute("CREATE TABLE IF NOT EXISTS handled (id TEXT PRIMARY KEY)")
        if database.execute("INSERT OR IGNORE INTO handled VALUES (?)", (request.headers["webhook-id"],)).rowcount:
            work(event)
    return "", 204


def work(event: dict[str, Any]) -> None:
    """Your work. Answer first and work later where it takes long: then a queue of yours is the memory."""
    if event["type"] == "sluice.job.finished.v1":
        print(event["verdict"], event["data"]["file"]["name"], flush=True)
