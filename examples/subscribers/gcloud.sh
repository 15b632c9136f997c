#!/usr/bin/env bash
# Notices by gcloud alone: of the files that did not succeed.
#
#   bash gcloud.sh create troubles                         a subscription of your own, with a filter
#   bash gcloud.sh read troubles                           print what has arrived, then acknowledge it
#   bash gcloud.sh replay troubles 2026-11-28T07:00:00Z    deliver everything since then again, also from before it was created
#
# On this machine: make up, and in this shell  eval "$(.venv/bin/python -m local env)"
# In Google Cloud: eval "$(./deploy.sh env --project my-project)"; then gcloud needs the project too: gcloud config set project my-project
set -euo pipefail

topic=${SLUICE_COMPLETIONS_TOPIC:-completions}
filter='attributes."ce-type" = "sluice.job.finished.v1" AND attributes.verdict != "succeeded"'

create() { # 7 days: as long as Pub/Sub keeps what was not acknowledged; a subscription without use is kept for ever
  gcloud pubsub subscriptions create "$1" --topic="$topic" --message-filter="$filter" --ack-deadline=60 \
    --message-retention-duration=7d --expiration-period=never
}

read_and_acknowledge() {
  local notices
  notices=$(gcloud pubsub subscriptions pull "$1" --limit=100 \
    --format='value(ackId,message.attributes.verdict,message.attributes.name)')
  [ -n "$notices" ] || return 0
  # Your work: here, print each once, as notices may come twice. After a failure nothing is acknowledged, and all come again.
  cut -f 2- <<<"$notices" | sort -u
  gcloud pubsub subscriptions ack "$1" --ack-ids="$(cut -f 1 <<<"$notices" | paste -sd ,)" >/dev/null
}

replay() {
  gcloud pubsub subscriptions seek "$1" --time="$2"
}

case "${1:-} $#" in
  "create 2") create "$2" ;;
  "read 2") read_and_acknowledge "$2" ;;
  "replay 3") replay "$2" "$3" ;;
  *) sed -n '2,9s/^# \{0,1\}//p' "$0" >&2 && exit 2 ;;
esac
