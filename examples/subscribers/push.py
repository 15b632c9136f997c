"""Print every file that has ended, once: Pub/Sub pushes the notices, each with a token that proves who sent it.

    pip install flask google-auth requests gunicorn    # the project's .venv has them
    AUDIENCE=http://127.0.0.1:8070 SENDER=push@local-project.iam.gserviceaccount.com gunicorn --bind 127.0.0.1:8070 push:app

In a second shell, after `eval "$(.venv/bin/python -m local env)"`:

    gcloud pubsub subscriptions create pushed --topic=completions --push-endpoint=http://127.0.0.1:8070/ \
      --push-auth-service-account=push@local-project.iam.gserviceaccount.com --push-auth-token-audience=http://127.0.0.1:8070

In Google Cloud the endpoint is the https address of your service, and SENDER an account of your own. The topic's name is
"$SLUICE_COMPLETIONS_TOPIC". On this machine the local cloud signs the tokens: give this program the variables of `local env` too.
With `--push-no-wrapper --push-no-wrapper-write-metadata` each push is a CloudEvent of HTTP's binary mode: this program takes both.
"""

import base64
import json
import os
import sqlite3
import time
from collections.abc import Mapping
from contextlib import closing
from functools import lru_cache

import requests
from flask import Flask, Request, abort, request
from google.auth import exceptions, jwt

AUDIENCE, SENDER = os.environ["AUDIENCE"], os.environ["SENDER"]
ISSUER = os.environ.get("SLUICE_TOKEN_ISSUER", "https://accounts.google.com")
CERTIFICATES = os.environ.get("SLUICE_TOKEN_CERTIFICATES", "https://www.googleapis.com/oauth2/v1/certs")
#: A file suits one instance. On Cloud Run, take your database.
MEMORY = os.environ.get("MEMORY", "handled.sqlite")

app = Flask(__name__)


@app.post("/")
def receive() -> tuple[str, int]:
    """Work, then answer 204: that acknowledges the notice. After any error Pub/Sub pushes it again."""
    if not is_from_sender(request.headers.get("Authorization", "")):
        abort(403)
    attributes, data = notice(request)
    with closing(sqlite3.connect(MEMORY, timeout=60)) as database, database:
        database.execute("CREATE TABLE IF NOT EXISTS handled (source TEXT, id TEXT, PRIMARY KEY (source, id))")
        key = (attributes["ce-source"], attributes["ce-id"])
        if database.execute("INSERT OR IGNORE INTO handled VALUES (?, ?)", key).rowcount:
            work(attributes, data)
    return "", 204


def work(attributes: dict[str, str], data: bytes) -> None:
    """Your work."""
    if attributes["ce-type"] == "sluice.job.finished.v1":
        job = json.loads(data)
        print(job["verdict"], job["file"]["name"], flush=True)


def notice(pushed: Request) -> tuple[dict[str, str], bytes]:
    """Attributes and data: of Pub/Sub's envelope, or of an unwrapped push, whose headers have the attributes."""
    if "ce-id" in pushed.headers:
        return {name.lower(): value for name, value in pushed.headers.items()}, pushed.get_data()
    message = pushed.get_json()["message"]
    return message["attributes"], base64.b64decode(message["data"])


def is_from_sender(authorization: str) -> bool:
    """Whether Google signed this token, for this audience and of this account, and it has not expired."""
    try:
        token = jwt.decode(authorization.removeprefix("Bearer "), certificates(int(time.time()) // 3600), audience=AUDIENCE)
    except (ValueError, exceptions.GoogleAuthError):
        return False
    return token["iss"] == ISSUER and token.get("email") == SENDER and token.get("email_verified") is True


@lru_cache(maxsize=1)
def certificates(_hour: int) -> Mapping[str, str]:
    """The issuer's certificates, once an hour: Google publishes new ones well before it signs with them."""
    answer = requests.get(CERTIFICATES, timeout=10)
    answer.raise_for_status()
    found: Mapping[str, str] = answer.json()
    return found
