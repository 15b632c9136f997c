"""Google's APIs as far as deploying goes: a proxy that answers in their place, remembers what it made, records what it was asked.

`python -m tests.deploy.stub --port 9900 --folder /tmp/stub` starts it and prints what gcloud needs to be told.
"""
