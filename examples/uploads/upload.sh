#!/usr/bin/env bash
# Uploads a file of at most 32 MiB through the upload service and waits for its verdict. It needs curl and python3.
#
#   bash upload.sh photo.jpg
#
# On this machine: make up, and in this shell  eval "$(.venv/bin/python -m local env)"
# In Google Cloud: eval "$(./deploy.sh env --project my-project)"; export IDENTITY_TOKEN=$(gcloud auth print-identity-token)
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT
touch "$folder/etag"

# The header stands in a file: the arguments of a program are visible to others on the machine.
[ -z "${IDENTITY_TOKEN:-}" ] || echo "header = \"Authorization: Bearer $IDENTITY_TOKEN\"" >"$folder/curlrc"
touch "$folder/curlrc"

ask() { # retried while the network or the server fails; the same Idempotency-Key makes that safe
  curl --config "$folder/curlrc" --silent --show-error --fail-with-body --retry 8 --retry-connrefused "$@"
}

field() { # the value of a field of the JSON on stdin
  python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1"
}

key=$(python3 -c 'import uuid; print(uuid.uuid4())')
receipt=$(ask --upload-file "$1" --header "Idempotency-Key: $key" "$SLUICE_UPLOAD_URL/") || { echo "$receipt" >&2 && exit 1; }
status_url=$(field status_url <<<"$receipt")

state=accepted
pause=0.25
while [ "$state" = accepted ] || [ "$state" = processing ]; do
  sleep "$pause"
  pause=$(python3 -c "print(min($pause * 1.5, 30))")
  # The ETag of the last answer: one without news has no body, and leaves the file as it was.
  ask --etag-compare "$folder/etag" --etag-save "$folder/etag" --output "$folder/answer" "$status_url"
  state=$(field state <"$folder/answer")
done
cat "$folder/answer"
[ "$state" = succeeded ]
