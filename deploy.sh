#!/usr/bin/env bash
# Puts Sluice into a Google Cloud project, again and again without harm. This file is the list of what exists there, in the order
# in which it is made; `./deploy.sh --help` tells how to use it, docs/deploy.md the whole way.
((BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1] >= 404)) || { echo "error: bash 4.4 or newer is needed, this is $BASH_VERSION" >&2; exit 1; }
set -Eeuo pipefail
shopt -s inherit_errexit
CALLER=$PWD
cd "$(dirname "${BASH_SOURCE[0]}")"

# What calls or is called, one line for each folder of functions/. A new folder needs its line here, and its rows in deploy/grants.tsv.
# Requests at once, seconds and memory go together: see docs/deploy.md before changing one of them.
services() {
  #        name        cpu               memory               at once                   seconds  instances               ingress
  service  upload      1                 512Mi                16                        300      "$INSTANCES"            all
  service  issuer      1                 512Mi                40                        30       "$INSTANCES"            all
  service  dispatcher  1                 512Mi                40                        50       "$INSTANCES"            internal
  service  processor   "$PROCESSOR_CPU"  "$PROCESSOR_MEMORY"  "$PROCESSOR_CONCURRENCY"  540      "$PROCESSOR_INSTANCES"  internal
  service  status      1                 512Mi                40                        60       "$INSTANCES"            all
}

# Accounts that no service runs as: two sign URLs, two call services, one builds the image.
OTHER_ACCOUNTS=(signer reader tasks push build)
BUCKETS=(uploads results build)
TOPICS=(uploads completions dead-letters)
SUBSCRIPTIONS=(completions dead-letters dispatcher)
APIS=(artifactregistry cloudbuild cloudresourcemanager cloudtasks iam iamcredentials logging monitoring pubsub run storage)

source deploy/settings.sh
source deploy/state.sh
source deploy/change.sh
source deploy/resources.sh
source deploy/watching.sh
source deploy/grants.sh
source deploy/down.sh
source deploy/status.sh
source deploy/doctor.sh
source deploy/verify.sh

everything() {
  step "APIs"
  apis

  step "Accounts: one for each job, none with a key"
  for name in "${ACCOUNTS[@]}"; do account "$name"; done

  step "Buckets: nobody public, nothing overwritten"
  bucket uploads 7d "$KEEP_UPLOADS_DAYS"
  bucket results 7d "$KEEP_RESULTS_DAYS"
  bucket build   0  1

  step "Topics, the image repository, log-based metrics"
  for name in "${TOPICS[@]}"; do topic "$name"; done
  repository
  for file in deploy/metrics/*.json; do metric "$file"; done

  step "Subscriptions that wait to be read; queues from pipeline.toml"
  pull_subscription completions
  pull_subscription dead-letters
  while read -r name numbers; do queue "$name" "$numbers"; done <<<"$QUEUES"

  step "Rights, from deploy/grants.tsv"
  service_agents
  settle
  grants project account bucket topic repository queue

  step "The image, built once and named by its digest"
  image

  step "Services"
  each_service deploy_service
  settle
  newest_revisions

  step "Who may call them, and the push to the dispatcher"
  grants service
  push_subscription dispatcher uploads
  grants subscription:completions subscription:dead-letters
  settle
  grants subscription:dispatcher

  step "What sets it going, after everything else: queues that were paused, and the notification"
  resume_queues
  notification uploads

  step "Rights that are not in the table"
  revocations

  step "Alerts and the dashboard"
  notification_channel
  settle
  for file in deploy/alerts/*.json; do alert "$file"; done
  dashboard
  settle
}

trap 'trap "" INT; echo "stopping; what has begun is ended first" >&2; wait; exit 130' INT
settings "$@"
case $COMMAND in
  plan | up) read_settings; read_state; everything; summary ;;
  down) read_settings; read_state; down; summary ;;
  status) read_settings; read_state; status ;;
  doctor) read_settings; read_state; doctor ;;
  verify) verify ;;
esac
