# shellcheck shell=bash
# What is deployed, in a page, and whether `up` would change anything.

status() {
  local name is count=0
  printf 'Project %s (%s), %s, prefix %s\n' "$PROJECT" "$NUMBER" "$REGION" "$PREFIX"
  printf '\nServices\n'
  for name in "${SERVICES[@]}"; do
    printf '  %-24s %-9s %s\n' "$PREFIX-$name" "$(service_state "$name")" "$(url "$name")"
  done
  printf '\nQueues\n'
  while read -r name _; do
    is=${STATE["queue $PREFIX-$name"]-"missing||"}
    printf '  %-24s %-9s %s a second, %s at once\n' "$PREFIX-$name" "${is%%|*}" "$(cut -d'|' -f2 <<<"$is")" "$(cut -d'|' -f3 <<<"$is")"
  done <<<"$QUEUES"
  printf '\nTopics, subscriptions, buckets\n'
  for name in "${TOPICS[@]}"; do presence "topic $PREFIX-$name" "$PREFIX-$name" topic; done
  for name in "${SUBSCRIPTIONS[@]}"; do presence "subscription $PREFIX-$name" "$PREFIX-$name" subscription; done
  for name in "${BUCKETS[@]}"; do presence "bucket $(bucket_name "$name")" "gs://$(bucket_name "$name")" ""; done
  printf '\nImage of these sources: %s, %s\n' "$TAG" "$(exists "image $TAG" && echo built || echo "not built")"
  everything >"$WORK/plan"
  [[ ! -e $WORK/changes ]] || count=$(wc -l <"$WORK/changes")
  if ((count)); then printf '\nup would run %s commands; plan shows them.\n' "$((count))"; else printf '\nup would change nothing.\n'; fi
}

service_state() {
  if ! exists "service $PREFIX-$1"; then
    echo missing
  elif [[ $(service_as_it_is "$PREFIX-$1") == True=* ]]; then
    echo ready
  else
    echo "not ready"
  fi
}

presence() {
  printf '  %-40s %s\n' "$2" "$(exists "$1" && echo "${3:-there}" || echo missing)"
}
