"""A proxy that answers for Google's APIs as far as deploying needs them, and records every request.

`python -m tests.deploy.stub --port 9900 --folder /tmp/stub` starts it and prints the variables that gcloud needs.
"""
