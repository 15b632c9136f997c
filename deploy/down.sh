# shellcheck shell=bash
# What `down` removes, in the order in which nothing is left dangling. Uploads, results and the tasks that wait stay, unless
# --delete-data; so do the queues, paused: the name of a deleted queue cannot be had again for days. `up` takes everything on again.

# What `down` leaves behind that has a policy.
STAYS='^(project|queue:.*|bucket:(uploads|results))$'

down() {
  local name resource
  [[ -z $DELETE_DATA || $YES ]] || consent

  ! exists "subscription $PREFIX-dispatcher" || printf 'warning: files whose notifications still wait in the subscription %s will not be processed.\n' "$PREFIX-dispatcher" >&2

  step "The notification: nothing new begins"
  each_row "notification.uploads $PROJECT/topics/$PREFIX-uploads" remove_notification

  step "Queues, paused"
  for name in $(queue_names); do pause_queue "$name"; done

  step "Alerts, dashboard, metrics"
  for name in deploy/alerts/*.json; do each_row "alert $(alert_title "$name")" remove_alert; done
  each_row "dashboard Sluice ($PREFIX)" remove_dashboard
  settle # metrics are still in use until then
  for name in deploy/metrics/*.json; do
    name=$PREFIX-$(basename "$name" .json)
    remove "metric $name" logging metrics delete "$name"
  done
  each_row "channel Sluice ($PREFIX)" remove_channel

  step "Services and subscriptions"
  for name in "${SERVICES[@]}"; do remove "service $PREFIX-$name" run services delete "$PREFIX-$name" --region="$REGION"; done
  for name in "${SUBSCRIPTIONS[@]}"; do remove "subscription $PREFIX-$name" pubsub subscriptions delete "$PREFIX-$name"; done

  step "Topics and images"
  for name in "${TOPICS[@]}"; do remove "topic $PREFIX-$name" pubsub topics delete "$PREFIX-$name"; done
  remove "repository $PREFIX" artifacts repositories delete "$PREFIX" --location="$REGION"

  step "Rights of our accounts on what stays: a deleted account would stay in a policy for ever"
  for resource in $(resources); do
    [[ $resource =~ $STAYS ]] || continue
    [[ $DELETE_DATA && $resource == bucket:* ]] || change_from "$resource" remove "$(ours "$resource")" ""
  done

  step "Accounts"
  for name in "${ACCOUNTS[@]}"; do remove "account $(email "$name")" iam service-accounts delete "$(email "$name")"; done

  step "Buckets"
  remove "bucket $(bucket_name build)" storage rm --recursive "gs://$(bucket_name build)"
  if [[ $DELETE_DATA ]]; then
    for name in uploads results; do remove "bucket $(bucket_name "$name")" storage rm --recursive "gs://$(bucket_name "$name")"; done
  fi
  settle
}

# Asked where somebody can answer; a script has to say --yes.
consent() {
  local typed
  [[ -t 0 ]] || fail "--delete-data deletes every upload and result of $PROJECT, prefix $PREFIX, for ever: say --yes too; nothing was changed"
  printf 'This deletes every upload and result of %s for ever. Type the prefix, %s, to go on: ' "$PROJECT" "$PREFIX" >&2
  read -r typed && [[ $typed == "$PREFIX" ]] || fail "that is not the prefix; nothing was changed"
}

remove() {
  ! exists "$1" || start mutate "${@:2}"
}

# each_row KEY FUNCTION: calls it with every row of this key.
each_row() {
  local row
  exists "$1" || return 0
  while IFS= read -r row; do "$2" "$row"; done <<<"${STATE[$1]}"
}

remove_notification() {
  start mutate storage buckets notifications delete "projects/_/buckets/$(bucket_name uploads)/notificationConfigs/${1%%|*}"
}

remove_alert() { start mutate "${ALERTS[@]}" delete "${1%%|*}"; }
remove_dashboard() { start mutate monitoring dashboards delete "${1%%|*}"; }

remove_channel() { start mutate beta monitoring channels delete "${1#*|}"; }

pause_queue() {
  local is=${STATE["queue $PREFIX-$1"]-PAUSED|}
  [[ ${is%%|*} == PAUSED ]] || start mutate tasks queues pause "$PREFIX-$1" --location="$REGION"
  if [[ $DELETE_DATA ]] && exists "waiting.$1 yes"; then
    start mutate tasks queues purge "$PREFIX-$1" --location="$REGION"
  fi
}
