# shellcheck shell=bash
# The classic faults: each is looked for in the state that was read, and named with the command that mends it.

doctor() {
  FAULTS=0
  check_apis
  check_services
  check_callers
  check_push
  check_notifications
  check_dead_letters
  check_queues
  check_buckets
  check_signing
  ((FAULTS == 0)) || fail "$FAULTS found. ./deploy.sh up mends what comes from drift; ./deploy.sh plan shows how."
  printf 'No fault found.\n'
}

# fault WHAT FIX
fault() {
  FAULTS=$((FAULTS + 1))
  printf '* %s\n  fix: %s\n' "$1" "$2"
}

check_apis() {
  local name
  for name in "${APIS[@]}"; do
    exists "api $name.googleapis.com" || fault "the API $name is off" "gcloud services enable $name.googleapis.com"
  done
}

check_services() {
  local name
  for name in "${SERVICES[@]}"; do
    [[ $(service_state "$name") == ready ]] || fault "the service $PREFIX-$name is $(service_state "$name")" \
      "./deploy.sh up; why it does not start: gcloud run services logs read $PREFIX-$name --region=$REGION"
  done
}

# may RESOURCE ROLE MEMBER
may() { [[ $'\n'${STATE["policy $1"]-}$'\n' == *$'\n'"$2|$3"$'\n'* ]]; }

# needs RESOURCE ROLE MEMBER WHAT: a fault when the grant is missing.
needs() {
  local -a command
  may "$1" "$2" "$3" && return
  policy_command add "$1"
  fault "$4" "$(shown gcloud "${command[@]}" --member="$3" --role="$2")"
}

check_callers() {
  local name
  needs service:dispatcher roles/run.invoker "$(member push)" "Pub/Sub may not call the dispatcher (missing invoker): pushes end in 403, files wait"
  needs account:push roles/iam.serviceAccountTokenCreator "serviceAccount:$PUBSUB_AGENT" "Pub/Sub may not make the tokens of $(email push): pushes prove nothing and are refused"
  needs service:processor roles/run.invoker "$(member tasks)" "Cloud Tasks may not call the processor (missing invoker): deliveries end in 403"
  for name in dispatcher processor; do
    [[ ${STATE["policy service:$name"]-} != *"|all"*Users* ]] || fault "strangers may call the $name" "./deploy.sh up"
  done
}

check_push() {
  local topic ack kept ttl endpoint account audience rest
  exists "subscription $PREFIX-dispatcher" || { fault "the subscription $PREFIX-dispatcher is missing: nobody hears of uploads" "./deploy.sh up"; return; }
  IFS='|' read -r topic ack kept ttl endpoint account audience rest <<<"${STATE["subscription $PREFIX-dispatcher"]}"
  : "$ack$kept$ttl$rest"
  [[ $topic == "$PREFIX-uploads" ]] || fault "the subscription $PREFIX-dispatcher listens to $topic" "gcloud pubsub subscriptions delete $PREFIX-dispatcher; ./deploy.sh up"
  [[ $audience == "$(url dispatcher)" ]] || fault "wrong audience: pushes carry tokens for '$audience', the dispatcher takes those for $(url dispatcher); it answers 401" \
    "gcloud pubsub subscriptions update $PREFIX-dispatcher --push-auth-token-audience=$(url dispatcher) --push-auth-service-account=$(email push) --push-endpoint=$(url dispatcher)/projects/$PROJECT/topics/$PREFIX-uploads"
  [[ $account == "$(email push)" ]] || fault "pushes come from '$account', the dispatcher takes them from $(email push); it answers 403" "./deploy.sh up"
  [[ $endpoint == "$(url dispatcher)"/* ]] || fault "pushes go to $endpoint" "./deploy.sh up"
}

check_notifications() {
  local topic=$PROJECT/topics/$PREFIX-uploads count=0 rows
  rows=${STATE["notification.uploads $topic"]-}
  [[ -z $rows ]] || count=$(wc -l <<<"$rows")
  ((count > 0)) || fault "the uploads bucket notifies nobody: uploads stay unprocessed" "./deploy.sh up"
  ((count < 2)) || fault "duplicate notifications: every upload is told $((count)) times" \
    "gcloud storage buckets notifications delete projects/_/buckets/$(bucket_name uploads)/notificationConfigs/$(tail -1 <<<"$rows" | cut -d'|' -f1)"
  [[ $rows != *"|NONE|"* ]] || fault "a notification carries no payload: the dispatcher cannot read it" "./deploy.sh up"
  needs topic:uploads roles/pubsub.publisher "serviceAccount:$STORAGE_AGENT" "Cloud Storage may not publish to $PREFIX-uploads (missing publisher grant of the storage agent): events are lost"
  doubled_pushes
}

doubled_pushes() {
  local key
  for key in "${!STATE[@]}"; do
    [[ $key == "subscription "* && $key != "subscription $PREFIX-dispatcher" && ${STATE[$key]} == *"|$(url dispatcher)/"* ]] || continue
    fault "${key#* } pushes to the dispatcher as well: every upload is told twice" "gcloud pubsub subscriptions delete ${key#* }"
  done
}

check_dead_letters() {
  local key heard=""
  for key in "${!STATE[@]}"; do
    [[ $key != "subscription "* || ${STATE[$key]} != "$PREFIX-dead-letters|"* ]] || heard=yes
  done
  [[ $heard ]] || fault "the dead-letter topic has no subscription: what is put aside is lost" \
    "gcloud pubsub subscriptions create $PREFIX-dead-letters --topic=$PREFIX-dead-letters --expiration-period=never"
  needs topic:dead-letters roles/pubsub.publisher "serviceAccount:$PUBSUB_AGENT" "Pub/Sub may not publish dead letters (missing grant): they are delivered again and again"
  needs subscription:dispatcher roles/pubsub.subscriber "serviceAccount:$PUBSUB_AGENT" "Pub/Sub may not take dead letters off the subscription (missing grant)"
}

check_queues() {
  local name is
  for name in $(queue_names); do
    is=${STATE["queue $PREFIX-$name"]-missing}
    case ${is%%|*} in
      RUNNING) ;;
      PAUSED | DISABLED) fault "paused queue: $PREFIX-$name delivers nothing" "gcloud tasks queues resume $PREFIX-$name --location=$REGION" ;;
      *) fault "the queue $PREFIX-$name is missing: its tasks cannot be queued" "./deploy.sh up" ;;
    esac
    [[ $QUEUE_AUTH == task || $is == missing || $is == *"|$(email tasks)|$(url processor)" ]] ||
      fault "wrong audience or account: $PREFIX-$name calls the processor with other tokens than it takes, or with none" "./deploy.sh up"
  done
}

check_buckets() {
  local name topic=$PROJECT/topics/$PREFIX-uploads variables
  for name in "${SERVICES[@]}"; do
    variables=";${STATE["service $PREFIX-$name"]-};"
    [[ $variables != *"BUCKET=$(bucket_name uploads);"*"BUCKET=$(bucket_name uploads);"* ]] ||
      fault "overlapping buckets: $PREFIX-$name writes results into the uploads bucket, where they would be processed again" "./deploy.sh up"
  done
  ! exists "notification.results $topic" || fault "overlapping buckets: the results bucket notifies $PREFIX-uploads too" \
    "gcloud storage buckets notifications delete gs://$(bucket_name results)"
}

check_signing() {
  needs account:signer roles/iam.serviceAccountTokenCreator "$(member issuer)" "the issuer may not sign as $(email signer): it answers 503"
  needs account:reader roles/iam.serviceAccountTokenCreator "$(member status)" "the status service may not sign as $(email reader): no download links"
}
