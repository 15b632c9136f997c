# shellcheck shell=bash
# One function for each kind of thing: what is wanted, and the commands that make it so. `plan` and `up` both come through here.

apis() {
  local name missing=()
  for name in "${APIS[@]}"; do
    exists "api $name.googleapis.com" || missing+=("$name.googleapis.com")
  done
  ((${#missing[@]} == 0)) || start mutate services enable "${missing[@]}"
}

account() {
  ensure "account $(email "$1")" "False" \
    iam service-accounts create "$PREFIX-$1" --display-name="Sluice $1" \
    -- iam service-accounts enable "$(email "$1")"
}

# bucket NAME SOFT_DELETE DAYS: 0 days keep for ever.
bucket() {
  local name soft=$2 days=$3 wanted rules="AbortIncompleteMultipartUpload:7" change
  name=$(bucket_name "$1")
  ((days == 0)) || rules+=";Delete:$days"
  lifecycle "$days" >"$WORK/lifecycle-$1.json"
  change=(--uniform-bucket-level-access --public-access-prevention --soft-delete-duration="$soft" --lifecycle-file="$WORK/lifecycle-$1.json")
  wanted="${REGION^^}|True|enforced|$((${soft%d} * 86400))|$rules|"
  if [[ $1 == uploads && $ORIGINS ]]; then
    cors >"$WORK/cors.json"
    wanted+=$ORIGINS
    change+=(--cors-file="$WORK/cors.json")
  fi
  if ! exists "bucket $name"; then
    start make_bucket "$name" "${change[@]}"
    return
  fi
  local is=${STATE["bucket $name"]}
  [[ ${is##*|} == "${wanted##*|}" || ${wanted##*|} ]] || change+=(--clear-cors)
  [[ $is == "$wanted" ]] || start mutate storage buckets update "gs://$name" "${change[@]}"
}

# gcloud takes CORS only from `update`.
make_bucket() {
  local last=${*: -1}
  if [[ $last == --cors-file=* ]]; then
    mutate storage buckets create "gs://$1" --location="$REGION" "${@:2:$#-2}"
    mutate storage buckets update "gs://$1" "$last"
  else
    mutate storage buckets create "gs://$1" --location="$REGION" "${@:2}"
  fi
}

lifecycle() {
  local old=""
  (($1 == 0)) || old=', {"action": {"type": "Delete"}, "condition": {"age": '$1'}}'
  printf '{"rule": [{"action": {"type": "AbortIncompleteMultipartUpload"}, "condition": {"age": 7}}%s]}\n' "$old"
}

cors() {
  printf '[{"origin": ["%s"], "method": ["PUT", "POST", "GET"], "maxAgeSeconds": 3600, "responseHeader":' "${ORIGINS//,/\", \"}"
  printf ' ["content-type", "content-range", "location", "range", "x-goog-content-length-range", "x-goog-if-generation-match", "x-goog-resumable"]}]\n'
}

topic() {
  ensure "topic $PREFIX-$1" "" pubsub topics create "$PREFIX-$1" -- true
}

repository() {
  local wanted="DOCKER|10|2592000s" is=${STATE["repository $PREFIX"]-}
  [[ $is == "$wanted" ]] || start make_repository "$is"
}

make_repository() {
  [[ $1 ]] || mutate artifacts repositories create "$PREFIX" --repository-format=docker --location="$REGION"
  mutate artifacts repositories set-cleanup-policies "$PREFIX" --location="$REGION" --policy=deploy/cleanup.json --no-dry-run
}

# The ends of a subscription's life and patience are said out loud: Pub/Sub's own defaults delete it after a month without pulls.
KEEP=(--expiration-period=never --message-retention-duration=7d)

pull_subscription() {
  subscription "$1" "$1" "60|604800s||||||||" --ack-deadline=60 "${KEEP[@]}"
}

push_subscription() {
  local endpoint audience
  audience=$(url dispatcher)
  endpoint=$audience/projects/$PROJECT/topics/$PREFIX-$2 # functions-framework takes the event's source from this path
  subscription "$1" "$2" "60|604800s||$endpoint|$(email push)|$audience|1s|60s|$PREFIX-dead-letters|20" \
    --ack-deadline=60 "${KEEP[@]}" --push-endpoint="$endpoint" --push-auth-service-account="$(email push)" \
    --push-auth-token-audience="$audience" --min-retry-delay=1s --max-retry-delay=60s \
    --dead-letter-topic="$PREFIX-dead-letters" --max-delivery-attempts=20
}

# subscription NAME TOPIC FIELDS FLAG...
subscription() {
  local name=$PREFIX-$1 topic=$PREFIX-$2 wanted=$3 is
  shift 3
  is=${STATE["subscription $name"]-"$topic|"}
  if [[ ${is%%|*} != "$topic" ]]; then # its topic was deleted; it will never hear of the new one
    start remake_subscription "$name" --topic="$topic" "$@"
    STATE["policy subscription:${name#"$PREFIX"-}"]="" # went with the old one
    return
  fi
  ensure "subscription $name" "$topic|$wanted" pubsub subscriptions create "$name" --topic="$topic" "$@" \
    -- pubsub subscriptions update "$name" "$@"
}

remake_subscription() {
  mutate pubsub subscriptions delete "$1"
  mutate pubsub subscriptions create "$@"
}

queue_names() { cut -d' ' -f1 <<<"$QUEUES"; }

# A task is deleted when it is out of attempts and this old: a week, so that an outage of the processor deletes none.
REACH_PROCESSOR_WITHIN=604800s

# queue NAME "RATE AT_ONCE ATTEMPTS LEAST MOST"
queue() {
  local name=$PREFIX-$1 rate at_once attempts least most target=() wanted is
  read -r rate at_once attempts least most <<<"$2"
  wanted="$rate|$at_once|$attempts|$REACH_PROCESSOR_WITHIN|$least|$most|16|0.1"
  local flags=(--location="$REGION" --max-dispatches-per-second="$rate" --max-concurrent-dispatches="$at_once" --max-attempts="$attempts"
    --max-retry-duration="$REACH_PROCESSOR_WITHIN" --min-backoff="$least" --max-backoff="$most" --max-doublings=16 --log-sampling-ratio=0.1)
  if [[ $QUEUE_AUTH == queue ]]; then
    wanted+="|$(host processor)|$(email tasks)|$(url processor)"
    target=(--http-uri-override="scheme:HTTPS,host:$(host processor),mode:ALWAYS"
      --http-oidc-service-account-email-override="$(email tasks)" --http-oidc-token-audience-override="$(url processor)")
  else
    wanted+="|||"
  fi
  is=${STATE["queue $name"]-}
  if [[ -z $is ]]; then
    start mutate tasks queues create "$name" "${flags[@]}" "${target[@]}"
    return
  fi
  [[ ${is#*|} == *'|||' || $QUEUE_AUTH == queue ]] ||
    target=(--clear-http-uri-override --clear-http-oidc-service-account-email-override --clear-http-oidc-token-audience-override)
  [[ ${is#*|} == "$wanted" ]] || start mutate tasks queues update "$name" "${flags[@]}" "${target[@]}"
}

# Not before there is a processor: deliveries to one that is missing only lengthen the pauses.
resume_queues() {
  local name is
  for name in $(queue_names); do
    is=${STATE["queue $PREFIX-$name"]-RUNNING|}
    [[ ${is%%|*} == RUNNING ]] || start mutate tasks queues resume "$PREFIX-$name" --location="$REGION"
  done
}

# They exist once somebody has asked for them, and must before they are granted anything.
service_agents() {
  [[ ${STATE["policy topic:uploads"]-} == *"$STORAGE_AGENT"* ]] || start mutate storage service-agent
  [[ ${STATE["policy topic:dead-letters"]-} == *"$PUBSUB_AGENT"* ]] || start mutate beta services identity create --service=pubsub.googleapis.com
}

# Sets IMAGE. In a plan the digest of an image that is yet to be built stands for itself.
image() {
  local digest=${STATE["image $TAG"]-}
  if [[ -z $digest ]]; then
    announce
    mutate builds submit . --config=deploy/cloudbuild.yaml --substitutions="_IMAGE=$REPOSITORY/functions:$TAG" \
      --service-account="projects/$PROJECT/serviceAccounts/$(email build)" --gcs-source-staging-dir="gs://$(bucket_name build)/source" \
      --suppress-logs --format='value(results.images[0].digest)'
    digest=DIGEST-OF-$TAG
    [[ $COMMAND != up ]] || digest=$(<"$PRINTED")
  fi
  IMAGE=$REPOSITORY/functions@${digest%%$'\n'*}
}

# deploy_service NAME CPU MEMORY AT_ONCE SECONDS INSTANCES INGRESS
deploy_service() {
  local name=$PREFIX-$1 cpu=$2 memory=$3 at_once=$4 seconds=$5 instances=$6 ingress=$7 variables variable value is wanted
  variables=$(service_variables "$1" "$at_once" | LC_ALL=C sort)
  while IFS='=' read -r variable value; do printf '%s: "%s"\n' "$variable" "$value"; done <<<"$variables" >"$WORK/variables-$1.yaml"
  wanted="$IMAGE|$(email "$1")|$at_once|$seconds|$cpu|$memory|$instances|true|$ingress||${variables//$'\n'/;}"
  is=$(service_as_it_is "$name")
  if [[ ${is#*=} != "$wanted" || $is != True=* ]]; then
    start mutate run deploy "$name" --region="$REGION" --image="$IMAGE" --service-account="$(email "$1")" \
      --cpu="$cpu" --memory="$memory" --concurrency="$at_once" --timeout="$seconds" --max-instances="$instances" --cpu-boost \
      --ingress="$ingress" --invoker-iam-check --env-vars-file="$WORK/variables-$1.yaml"
  fi
}

# What a service is told, and nothing it does not need to know but the names of the others.
service_variables() {
  cat <<EOF
FUNCTION_TARGET=$1
FUNCTION_SOURCE=functions/$1/main.py
THREADS=$2
GOOGLE_CLOUD_PROJECT=$PROJECT
SLUICE_LOCATION=$REGION
SLUICE_UPLOADS_BUCKET=$(bucket_name uploads)
SLUICE_RESULTS_BUCKET=$(bucket_name results)
SLUICE_COMPLETIONS_TOPIC=$PREFIX-completions
SLUICE_DEAD_LETTERS_TOPIC=$PREFIX-dead-letters
SLUICE_QUEUE_PREFIX=$PREFIX-
SLUICE_QUEUE_AUTH=$QUEUE_AUTH
SLUICE_ISSUER_URL=$(url issuer)
SLUICE_DISPATCHER_URL=$(url dispatcher)
SLUICE_PROCESSOR_URL=$(url processor)
SLUICE_STATUS_URL=$(url status)
SLUICE_PUSH_ACCOUNT=$(email push)
SLUICE_TASKS_ACCOUNT=$(email tasks)
SLUICE_MAX_FILE_BYTES=$MAX_FILE_BYTES
SLUICE_URL_SECONDS=$URL_SECONDS
EOF
  case $1 in
    issuer) echo "SLUICE_SIGNER=$(email signer)" ;;
    status) echo "SLUICE_SIGNER=$(email reader)" ;;
  esac
}

# READY=the other fields, spelled as `wanted` is: 1000m is 1, variables in alphabetical order.
service_as_it_is() {
  local image account at_once seconds cpu memory instances boost ingress open traffic conditions variables
  IFS='|' read -r image account at_once seconds cpu memory instances boost ingress open traffic conditions variables <<<"${STATE["service $1"]-}"
  variables=$(tr ';' '\n' <<<"$variables" | LC_ALL=C sort)
  [[ $cpu != *000m ]] || cpu=${cpu%000m}
  [[ ${open,,} != false ]] || open=""
  : "$traffic"
  if [[ ";$conditions;" == *";Ready:True;"* ]]; then printf 'True='; else printf 'False='; fi
  printf '%s' "$image|$account|$at_once|$seconds|$cpu|$memory|$instances|${boost,,}|$ingress|$open|${variables//$'\n'/;}"
}

# Somebody sent requests to an older revision: the newest would never get any.
newest_revisions() {
  local name traffic
  for name in "${SERVICES[@]}"; do
    traffic=$(cut -d'|' -f11 <<<"${STATE["service $PREFIX-$name"]-}")
    [[ -z $traffic || $traffic == True:100 ]] || start mutate run services update-traffic "$PREFIX-$name" --region="$REGION" --to-latest
  done
}

# One notification, of finished uploads with their description. A second one would double every event; it goes when the right one is there.
notification() {
  local bucket row right="" others=()
  bucket=$(bucket_name "$1")
  while IFS= read -r row; do
    [[ $row ]] || continue
    if [[ -z $right && ${row#*|} == "JSON_API_V1|OBJECT_FINALIZE" ]]; then right=yes; else others+=("${row%%|*}"); fi
  done <<<"${STATE["notification.$1 $PROJECT/topics/$PREFIX-$1"]-}"
  [[ $right ]] || start mutate storage buckets notifications create "gs://$bucket" --topic="projects/$PROJECT/topics/$PREFIX-$1" \
    --event-types=OBJECT_FINALIZE --payload-format=json --skip-topic-setup
  settle
  for row in "${others[@]}"; do
    start mutate storage buckets notifications delete "projects/_/buckets/$bucket/notificationConfigs/$row"
  done
}
