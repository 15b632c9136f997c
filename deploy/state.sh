# shellcheck shell=bash
# What exists, read before anything is changed: a gcloud list for each kind of thing and a policy for each thing of ours, side by
# side. An empty list means there is nothing; a list that cannot be read stops the script. Afterwards STATE["KIND NAME"] holds the
# fields of a thing, joined by |, as the format below names them; it is unset when the thing is not there.

declare -A STATE=()
SIDE_BY_SIDE=${SIDE_BY_SIDE:-6}

# One command at a time: each one's rendered files and what it read lie in this folder.
take_folder() {
  mkdir -p "$WORK"
  (set -o noclobber; printf '%s, process %s\n' "$COMMAND" "$$" >"$WORK/lock") 2>/dev/null ||
    fail "$(<"$WORK/lock") is at work on $PROJECT, prefix $PREFIX: wait for its end. If it was killed: rm $WORK/lock"
  trap 'rm "$WORK/lock"' EXIT
  rm -rf "$WORK/state" "$WORK/changes" "$WORK/failed"
  mkdir "$WORK/state"
}

read_state() {
  take_folder
  reading project projects describe "$PROJECT" --format='value(projectNumber)'
  reading api services list --enabled --format='value(config.name)'
  all_read
  NUMBER=$(<"$WORK/state/project")
  STORAGE_AGENT=service-$NUMBER@gs-project-accounts.iam.gserviceaccount.com
  PUBSUB_AGENT=service-$NUMBER@gcp-sa-pubsub.iam.gserviceaccount.com
  REPOSITORY=$REGION-docker.pkg.dev/$PROJECT/$PREFIX
  TAG=$(python3 deploy/sources.py)
  read_things
  all_read
  right_region
  read_what_belongs_to_things
  all_read
}

# Services and queues are looked for in one region only: with a wrong one they would seem not to be there.
right_region() {
  local name is
  for name in "${BUCKETS[@]}"; do
    is=${STATE["bucket $(bucket_name "$name")"]-"${REGION^^}|"}
    [[ ${is%%|*} == "${REGION^^}" ]] ||
      fail "bucket $(bucket_name "$name") is in ${is%%|*}, not in ${REGION^^}; nothing was changed." \
        "Buckets cannot move: name their --region, or choose another --prefix"
  done
}

# An API that is off has nothing to list, and would refuse to.
read_things() {
  if_on storage reading bucket storage buckets list --format='value[separator="|"](name,location,uniform_bucket_level_access,
    public_access_prevention,soft_delete_policy.retentionDurationSeconds,lifecycle_config.rule.map().format("{0}:{1}",action.type,condition.age),
    cors_config[0].origin.list())'
  if_on pubsub reading topic pubsub topics list --format='value(name.basename())'
  if_on pubsub reading subscription pubsub subscriptions list --format='value[separator="|"](name.basename(),topic.basename(),
    ackDeadlineSeconds,messageRetentionDuration,expirationPolicy.ttl,pushConfig.pushEndpoint,pushConfig.oidcToken.serviceAccountEmail,
    pushConfig.oidcToken.audience,retryPolicy.minimumBackoff,retryPolicy.maximumBackoff,
    deadLetterPolicy.deadLetterTopic.basename(),deadLetterPolicy.maxDeliveryAttempts)'
  if_on cloudtasks reading queue tasks queues list --location="$REGION" --format='value[separator="|"](name.basename(),state,
    rateLimits.maxDispatchesPerSecond,rateLimits.maxConcurrentDispatches,retryConfig.maxAttempts,retryConfig.maxRetryDuration,
    retryConfig.minBackoff,retryConfig.maxBackoff,retryConfig.maxDoublings,stackdriverLoggingConfig.samplingRatio,httpTarget.uriOverride.host,
    httpTarget.oidcToken.serviceAccountEmail,httpTarget.oidcToken.audience)'
  if_on run reading service run services list --region="$REGION" --format='value[separator="|"](metadata.name,
    spec.template.spec.containers[0].image,spec.template.spec.serviceAccountName,spec.template.spec.containerConcurrency,
    spec.template.spec.timeoutSeconds,spec.template.spec.containers[0].resources.limits.cpu,
    spec.template.spec.containers[0].resources.limits.memory,
    spec.template.metadata.annotations."autoscaling.knative.dev/maxScale",
    spec.template.metadata.annotations."run.googleapis.com/startup-cpu-boost",
    metadata.annotations."run.googleapis.com/ingress",metadata.annotations."run.googleapis.com/invoker-iam-disabled",
    spec.traffic.map().format("{0}:{1}",latestRevision,percent),status.conditions.map().format("{0}:{1}",type,status),
    spec.template.spec.containers[0].env.map().format("{0}={1}",name,value))'
  if_on iam reading account iam service-accounts list --format='value[separator="|"](email,disabled)'
  [[ $COMMAND == doctor ]] || read_equipment
}

read_equipment() {
  if_on artifactregistry reading repository artifacts repositories list --location="$REGION" --format='value[separator="|"](
    name.basename(),format,cleanupPolicies.recent.mostRecentVersions.keepCount,cleanupPolicies.old.condition.olderThan)'
  if_on logging reading metric logging metrics list --format='value[separator="|"](name,description,filter)'
  if_on monitoring reading_alerts
  if_on monitoring reading dashboard monitoring dashboards list --format='value[separator="|"](displayName,name.basename(),labels,etag)'
  [[ -z $NOTIFY && $COMMAND != down ]] ||
    if_on monitoring reading channel beta monitoring channels list --format='value[separator="|"](displayName,labels.email_address,name)'
}

read_what_belongs_to_things() {
  local name resource
  exists "repository $PREFIX" && reading image artifacts docker images list "$REPOSITORY" --include-tags --filter="tags:$TAG" --format='value(version)'
  for name in uploads results; do
    exists "bucket $(bucket_name "$name")" && reading "notification.$name" storage buckets notifications list "gs://$(bucket_name "$name")" \
      --format='value[separator="|"]("Notification Configuration".topic.scope(projects),"Notification Configuration".id,"Notification Configuration".payload_format,"Notification Configuration".event_types.list())'
  done
  for name in $(queue_names); do
    [[ -z $DELETE_DATA ]] || ! exists "queue $PREFIX-$name" ||
      reading "waiting.$name" tasks list --queue="$PREFIX-$name" --location="$REGION" --limit=1 --format='value(name.basename())'
  done
  for resource in $(policies_to_read); do
    exists "$(state_key "$resource")" || [[ $resource == project ]] || continue
    local -a command
    policy_command get "$resource"
    reading "policy.$resource" "${command[@]}" --flatten='bindings[].members' --format='value[separator="|"](bindings.role,bindings.members)'
  done
}

# `up` takes care of every policy, the others look at a few.
policies_to_read() {
  case $COMMAND in
    doctor) resources | grep -E '^(service:(dispatcher|processor)|topic:(uploads|dead-letters)|subscription:dispatcher|account:(signer|reader|push))$' ;;
    down) resources | grep -E "$STAYS" ;;
    *) resources ;;
  esac
}

# Alert policies are still alpha in some versions of gcloud.
reading_alerts() {
  ALERTS=(monitoring policies)
  [[ $(gcloud monitoring policies list --limit=0 2>&1) != *"Invalid choice: 'policies'"* ]] || ALERTS=(alpha monitoring policies)
  reading alert "${ALERTS[@]}" list --format='value[separator="|"](displayName,name,enabled,userLabels.spec)'
}

if_on() {
  [[ -v STATE["api $1.googleapis.com"] ]] && "${@:2}"
  return 0
}

# reading KIND COMMAND...: starts it; all_read waits for all that were started and fills STATE.
reading() {
  local kind=$1
  shift
  while (($(jobs -rp | wc -l) >= SIDE_BY_SIDE)); do wait -n || true; done
  READING+=("$kind")
  { gcloud "$@" >"$WORK/state/$kind" 2>"$WORK/state/$kind.error" || printf 'gcloud %s\n' "$*" >"$WORK/state/$kind.failed"; } &
}
READING=()

all_read() {
  wait
  local kind failed=()
  for kind in "${READING[@]}"; do
    [[ -e $WORK/state/$kind.failed ]] && failed+=("$kind")
    load "$kind"
  done
  ((${#failed[@]} == 0)) || unreadable "${failed[@]}"
  READING=()
}

unreadable() {
  local kind
  printf 'error: the state cannot be read; nothing was changed.\n' >&2
  for kind; do
    printf '\n%s\n' "$(tr -s '[:space:]' ' ' <"$WORK/state/$kind.failed")" >&2
    sed 's/^/  /' "$WORK/state/$kind.error" >&2
  done
  printf '\nread so far: %s\n' "${READING[*]}" >&2
  exit 2
}

# Rows of one name, such as two notifications for one topic, stand below each other. Numbers are spelled one way: 5.0 is 5.
load() {
  local row rows key
  rows=$(sed -E -e 's/(\|[0-9]+)\.0+(s?)(\||$)/\1\2\3/g' -e 's/(\|[0-9]+)\.0+(s?)(\||$)/\1\2\3/g' \
    -e 's/(\|[0-9]+\.[0-9]*[1-9])0+(s?)(\||$)/\1\2\3/g' "$WORK/state/$1") || { printf 'error: what was read of %s is gone.\n' "$1" >&2; exit 2; }
  while IFS= read -r row; do
    [[ $row ]] || continue
    case $1 in
      policy.*) key="policy ${1#policy.}"; row="|$row" ;;
      image) key="image $TAG"; row="|$row" ;;
      waiting.*) key="$1 yes" ;;
      *) key="$1 ${row%%|*}" ;;
    esac
    [[ $row == *'|'* ]] || row+='|'
    STATE[$key]+=${STATE[$key]+$'\n'}${row#*|}
  done <<<"$rows"
}

exists() { [[ -v STATE["$1"] ]]; }
