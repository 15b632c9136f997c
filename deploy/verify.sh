# shellcheck shell=bash
# A photograph through every door of the deployed system, as people would send it, until the notices of its results have arrived.

PHOTO=tests/data/photo.jpg
NOTICE_SECONDS=${NOTICE_SECONDS:-180} # the first requests wait for instances to start

verify() {
  if [[ $LOCAL ]]; then local_system; else deployed_system; fi
  STAMP=$(date -u +%Y%m%d-%H%M%S)-$RANDOM
  OBJECTS=()
  printf 'Listening to %s.\n' "$COMPLETIONS"
  gcloud pubsub subscriptions create "$LISTENER-$STAMP" --topic="$COMPLETIONS" --expiration-period=1d --message-retention-duration=10m --quiet >/dev/null 2>&1 ||
    fail "no subscription can be made on the topic $COMPLETIONS"
  trap 'gcloud pubsub subscriptions delete "$LISTENER-$STAMP" --quiet >/dev/null 2>&1' EXIT
  through_the_bucket
  through_the_issuer
  through_the_upload_service
  notices
  ask_status
  tidy_up
  printf '\nEverything works.\n'
}

local_system() {
  local variables
  if [[ -z ${SLUICE_UPLOAD_URL-} ]]; then
    variables=$(.venv/bin/python -m local env) || fail "python -m local env tells nothing; does make up run?"
    eval "$variables"
  fi
  UPLOADS=uploads RESULTS=results COMPLETIONS=completions LISTENER=verify CALLER=()
}

deployed_system() {
  local name token
  read_settings
  NUMBER=$(gcloud projects describe "$PROJECT" --format='value(projectNumber)')
  token=$(gcloud auth print-identity-token) || fail "no identity token; gcloud auth login, then again"
  for name in upload issuer status; do export "SLUICE_${name^^}_URL=$(url "$name")"; done
  UPLOADS=$(bucket_name uploads) RESULTS=$(bucket_name results) COMPLETIONS=$PREFIX-completions LISTENER=$PREFIX-verify
  CALLER=(--header "Authorization: Bearer $token")
}

through_the_bucket() {
  printf '1. straight into the bucket\n'
  gcloud storage cp "$PHOTO" "gs://$UPLOADS/verify/$STAMP.jpg" --content-type=image/jpeg --quiet >/dev/null 2>&1 || fail "gs://$UPLOADS takes no file; may you write to it?"
  sent "verify/$STAMP.jpg"
}

through_the_issuer() {
  local ticket upload
  printf '2. a signed URL from the issuer\n'
  ticket=$(call "$SLUICE_ISSUER_URL/?name=photo.jpg&content_type=image/jpeg") || refused issuer "$ticket"
  upload=$(field curl <<<"$ticket")
  (cd "$(dirname "$PHOTO")" && bash -c "$upload" >/dev/null 2>&1) || fail "the signed URL does not take the file"
  sent "$(field object <<<"$ticket")"
}

through_the_upload_service() {
  local receipt
  printf '3. a POST to the Upload Service\n'
  receipt=$(call --form "file=@$PHOTO" "$SLUICE_UPLOAD_URL") || refused upload "$receipt"
  sent "$(field object <<<"$receipt")"
}

sent() {
  OBJECTS+=("$1")
  printf '   %s\n' "$1"
}

call() { curl --silent --show-error --fail-with-body --max-time 120 "${CALLER[@]}" "$@" 2>&1; }

refused() { fail "the $1 service refuses: $2"$'\n'"(403: may you call it? gcloud run services add-iam-policy-binding with roles/run.invoker for yourself)"; }

field() { python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1"; }

# Pulls until the job notice of each object is there.
notices() {
  local name since=$SECONDS heard="" row
  printf 'Waiting for the notices.\n'
  for name in "${OBJECTS[@]}"; do
    while ! row=$(grep -F "sluice.job.finished.v1|$name|" <<<"$heard"); do
      ((SECONDS - since < NOTICE_SECONDS)) || fail "no notice of $name within $NOTICE_SECONDS s; ./deploy.sh doctor looks for the cause"
      heard+=$'\n'$(gcloud pubsub subscriptions pull "$LISTENER-$STAMP" --auto-ack --limit=100 \
        --format='value[separator="|"](message.attributes."ce-type",message.attributes.name,message.attributes.verdict)')
    done
    [[ ${row##*|} == succeeded ]] || fail "the verdict of $name is ${row##*|}"
    printf '   succeeded  %s\n' "$name"
  done
}

ask_status() {
  local name answer
  FILES=()
  printf 'Asking the status service.\n'
  for name in "${OBJECTS[@]}"; do
    answer=$(call "$SLUICE_STATUS_URL/objects/$name") || refused status "$answer"
    [[ $(field state <<<"$answer") == succeeded ]] || fail "the status of $name is $(field state <<<"$answer")"
    FILES+=("$(field file_id <<<"$answer")")
  done
}

# What was sent and what came of it, so that it can be run as often as one likes.
tidy_up() {
  local name traces=()
  for name in "${OBJECTS[@]}"; do traces+=("gs://$UPLOADS/$name" "gs://$RESULTS/files/$name/**"); done
  for name in "${FILES[@]}"; do traces+=("gs://$RESULTS/jobs/$name/**"); done
  gcloud storage rm "${traces[@]}" --quiet >/dev/null 2>&1 || printf 'note: what was sent stays in gs://%s and gs://%s; it could not be deleted.\n' "$UPLOADS" "$RESULTS"
}
