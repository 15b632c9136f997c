# shellcheck shell=bash
# Who may do what: deploy/grants.tsv, applied to each policy as it was read, and nothing else for any account of ours.

# Every resource that has a policy, by the names that grants.tsv uses.
resources() {
  local name
  printf '%s\n' project repository
  printf 'bucket:%s\n' "${BUCKETS[@]}"
  printf 'topic:%s\n' "${TOPICS[@]}"
  printf 'subscription:%s\n' "${SUBSCRIPTIONS[@]}"
  while read -r name _; do printf 'queue:%s\n' "$name"; done <<<"$QUEUES"
  printf 'account:%s\n' "${ACCOUNTS[@]}"
  printf 'service:%s\n' "${SERVICES[@]}"
}

state_key() {
  local name=${1#*:}
  case $1 in
    project) echo "project $NUMBER" ;;
    repository) echo "repository $PREFIX" ;;
    bucket:*) echo "bucket $(bucket_name "$name")" ;;
    account:*) echo "account $(email "$name")" ;;
    *) echo "${1%%:*} $PREFIX-$name" ;;
  esac
}

# policy_command get|add|remove RESOURCE: sets `command`, without role and member.
policy_command() {
  local verb=$1-iam-policy name=${2#*:} unconditional=()
  [[ $1 == get ]] || { verb+=-binding; unconditional=(--condition=None); }
  case $2 in
    project) command=(projects "$verb" "$PROJECT" "${unconditional[@]}") ;;
    repository) command=(artifacts repositories "$verb" "$PREFIX" --location="$REGION" "${unconditional[@]}") ;;
    bucket:*) command=(storage buckets "$verb" "gs://$(bucket_name "$name")" "${unconditional[@]}") ;;
    account:*) command=(iam service-accounts "$verb" "$(email "$name")" "${unconditional[@]}") ;;
    service:*) command=(run services "$verb" "$PREFIX-$name" --region="$REGION" "${unconditional[@]}") ;;
    topic:*) command=(pubsub topics "$verb" "$PREFIX-$name") ;;
    subscription:*) command=(pubsub subscriptions "$verb" "$PREFIX-$name") ;;
    queue:*) command=(tasks queues "$verb" "$PREFIX-$name" --location="$REGION") ;;
  esac
}

# grants WHAT...: adds what these kinds of resources, or this one, lack. Taking away comes last: see `revocations`.
grants() {
  local resource what
  for resource in $(resources); do
    for what; do
      [[ $resource == "$what" || ${resource%%:*} == "$what" ]] || continue
      change_from "$resource" add "$(wanted_grants "$resource")" "${STATE["policy $resource"]-}"
    done
  done
}

# Takes away what the table does not give, once nothing that runs needs it any more.
revocations() {
  local resource
  for resource in $(resources); do
    change_from "$resource" remove "$(ours "$resource")" "$(wanted_grants "$resource")"
  done
}

# change_from RESOURCE add|remove ROWS BUT_NOT: one after the other, since two changes of one policy at once would refuse each other.
change_from() {
  local row rows=()
  while IFS= read -r row; do
    [[ -z $row || $'\n'$4$'\n' == *$'\n'"$row"$'\n'* ]] || rows+=("$row")
  done <<<"$3"
  ((${#rows[@]} == 0)) || start change_policy "$1" "$2" "${rows[@]}"
}

change_policy() {
  local resource=$1 verb=$2 row
  local -a command
  shift 2
  policy_command "$verb" "$resource"
  for row; do mutate "${command[@]}" --member="${row#*|}" --role="${row%%|*}"; done
}

# Rows of a policy, as it was read, that are ours to take away.
ours() {
  local row
  while IFS= read -r row; do
    ! is_ours "$1" "${row#*|}" || printf '%s\n' "$row"
  done <<<"${STATE["policy $1"]-}"
}

# Rows `role|member` that the table asks for on this resource.
wanted_grants() {
  local on role who when
  while IFS=$'\t' read -r on role who when _; do
    [[ $on == "$1" || $on == "${1%%:*}:*" ]] && holds "$when" && printf '%s|%s\n' "$role" "$(member "$who")"
  done <deploy/grants.tsv
  return 0
}

holds() {
  case $1 in
    always) true ;;
    queue-auth=*) [[ $QUEUE_AUTH == "${1#*=}" ]] ;;
    open=*) [[ ,$ALLOW_UNAUTHENTICATED, == *",${1#*=},"* ]] ;;
    *) fail "deploy/grants.tsv: when $1?" ;;
  esac
}

member() {
  case $1 in
    allUsers) echo allUsers ;;
    agent:storage) echo "serviceAccount:$STORAGE_AGENT" ;;
    agent:pubsub) echo "serviceAccount:$PUBSUB_AGENT" ;;
    *) echo "serviceAccount:$(email "$1")" ;;
  esac
}

# Our accounts, also those that were deleted and made again since; and strangers, but for the project, whose policy is not ours.
is_ours() {
  local who=${2#deleted:} name
  [[ $1 != project && $who == all*Users ]] && return
  who=${who%%\?uid=*}
  for name in "${ACCOUNTS[@]}"; do
    [[ $who == "serviceAccount:$PREFIX-$name@$PROJECT.iam.gserviceaccount.com" ]] && return
  done
  return 1
}
