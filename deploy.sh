#!/usr/bin/env bash
# Deploys Sluice into a Google Cloud project; safe to repeat. `./deploy.sh --help` lists commands and options, docs/deploy.md explains
# them. Below is the list of what exists there, in the order of creation; deploy/ compares it with the project and runs gcloud.
set -eu
PYTHON=${PYTHON:-python3}
PLACES=$("$PYTHON" -c 'import os, sys, tomllib; print(os.path.dirname(os.path.realpath(sys.argv[1])), sys.executable, sep="\n")' \
  "${BASH_SOURCE[0]}" 2>/dev/null) ||
  { echo "error: Python 3.11 or newer is missing; install it, or set PYTHON to its path" >&2; exit 1; }
export CALLER=$PWD # a relative --env-file is looked for there
cd "${PLACES%$'\n'*}"
exec "${PLACES##*$'\n'}" -m deploy "$@" 3<<'LIST'

# A word and its arguments make a line; deploy/everything.py names the function behind each word. $NAME is an option of that name.
# The lines of a step run side by side: `step` and `wait` wait for those before.

step "APIs"
  apis  artifactregistry cloudbuild cloudresourcemanager cloudscheduler cloudtasks iam iamcredentials iap logging monitoring pubsub run secretmanager storage

step "Accounts: one per job, none with a key"
  # One for each service below; and those that no service runs as: two sign URLs, three call services, one builds the image.
  accounts  signer reader tasks push clock build

step "Buckets: closed to the public, objects never overwritten"
  #       name     soft delete  objects are deleted after days (0: never)
  bucket  uploads  7d           $KEEP_UPLOADS_DAYS
  bucket  results  7d           $KEEP_RESULTS_DAYS
  bucket  build    0            1

step "Options, topics, the image repository, log-based metrics"
  # Those of this up, for the next one.
  kept_options
  topics  uploads dead-letters
  #      name         messages are kept for late subscribers, in days (0: not)
  topic  completions  $KEEP_NOTICES_DAYS
  repository
  metrics

step "Secrets of random bytes, made once"
  # keys: idempotency keys become names of objects by it.
  secret  keys

step "Subscriptions that are pulled; queues from pipeline.toml, and the sweeper's"
  pull_subscriptions  completions dead-letters
  new_queues

step "Grants, from deploy/grants.tsv"
  service_agents
  custom_roles
  wait
  grants  project account bucket topic repository queue own-queue secret webhook webhook-secret

step "The image, built once and named by its digest"
  image

step "Services"
  # One for each folder of functions/. A new folder needs its line here, and its rows in deploy/grants.tsv.
  #        name        cpu  memory  at once  seconds  instances    ingress
  service  upload      1    512Mi   16       300      $INSTANCES   all
  service  issuer      1    512Mi   40       30       $HALF_THE_INSTANCES  all
  service  dispatcher  1    512Mi   40       50       $INSTANCES   internal
  service  status      1    512Mi   40       60       $INSTANCES   all
  # Only where pipeline.toml has webhooks, as each line about the notifier.
  service  notifier    1    512Mi   80       60       $INSTANCES   internal
  # One instance each: a sweep has one part after the other; the console reads each list once for all its viewers.
  service  sweeper     1    512Mi   3        1800     1            internal
  service  console     1    512Mi   40       300      1            all
  # The processor is a service for each pool of pipeline.toml, which has the numbers.
  pools    processor                                               internal
  wait
  newest_revisions

step "Callers of the services, and the pushes to the dispatcher and the notifier"
  grants  service iap
  push_subscription  dispatcher uploads
  notices_subscription  notifier completions
  grants  subscription:completions subscription:dead-letters
  wait
  grants  subscription:dispatcher

step "Queues that differ: only now is there a service for each pool that they call"
  changed_queues

step "Start, after everything else: queues that were paused, the notification, the schedule of sweeps"
  resume_queues
  notification  uploads
  #         minutes between two calls of the sweeper (0: none)
  schedule  $SWEEP_MINUTES

step "Grants that are not in the table"
  revocations

step "What pipeline.toml has no longer: pools, once their services are deleted; webhooks"
  retired_accounts
  retired_subscription

step "Alerts, the dashboard, the budget"
  notification_channel
  alerts
  dashboard
  budget
LIST
