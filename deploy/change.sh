# shellcheck shell=bash
# How things are changed. `mutate` prints a command and, unless this is a plan, runs it; errors of a cloud that has not heard yet
# of what was just made are tried again, a few times. `start` runs side by side what does not depend on each other; `settle` waits.

# What Google's APIs say while something new spreads through them, and while they are busy. Nothing else is tried again.
PATTERNS=(
  '[Ss]ervice account [^ ]+ does not exist' 'iam\.service[Aa]ccounts\.actAs' 'not permitted to publish' 'does not have permission to publish'
  'uploadArtifacts' 'storage\.objects\.get access' 'has not been used in project' 'permissions might take a few minutes to propagate' 'Cannot find metric'
  'concurrent policy changes' 'version mismatch' 'ABORTED' 'HTTPError (409|412): .*[Cc]oncurrent'
  'UNAVAILABLE' 'currently unavailable' '[Pp]lease try again' '[Tt]ry again (later|in )' 'RESOURCE_EXHAUSTED' 'HTTPError (429|503)' 'timed out'
)
PASSING=$(IFS='|'; echo "${PATTERNS[*]}")
ATTEMPTS=6
RETRY_SECONDS=${RETRY_SECONDS:-4} # doubled each time: 4 8 16 32 64
STEP=""

# A step begins when all of the one before is done. Its name appears above its first command: one that finds everything in order says nothing.
step() {
  settle
  STEP=$1
}

announce() {
  if [[ $STEP ]]; then
    printf '\n# %s\n' "$STEP"
    STEP=""
  fi
}

# start COMMAND...: runs it beside others of its step; in a plan, at once, so that its lines stand in order.
start() {
  announce
  if [[ $COMMAND == up || $COMMAND == down ]]; then
    while (($(jobs -rp | wc -l) >= SIDE_BY_SIDE)); do wait -n || true; done
    "$@" &
  else
    "$@"
  fi
}

settle() {
  wait
  [[ ! -e $WORK/failed ]] && return
  printf '\nerror: stopped; what was refused is said above. Mend it and run the same again: it goes on from here.\n' >&2
  exit 1
}

mutate() {
  echo >>"$WORK/changes"
  printf '%s\n' "$(shown gcloud "$@")"
  [[ $COMMAND == plan || $COMMAND == status ]] || attempt "$@"
}

attempt() {
  local try said pause=$RETRY_SECONDS
  PRINTED=$WORK/state/printed.$BASHPID
  for ((try = 1; ; try++)); do
    if said=$(gcloud "$@" 2>&1 >"$PRINTED" </dev/null); then return; fi
    if [[ " $* " == *" create "* && $said =~ already\ (exists|own)|ALREADY_EXISTS ]]; then
      printf 'note: it was there already; run up again to see that it is as it should be: %s\n' "$(shown gcloud "${@:1:5}")" >&2
      return
    fi
    if [[ " $* " == *" channels delete "* && $said == *"still being referenced"* ]]; then
      printf 'note: it stays, since alerts of others name it: %s\n' "$(shown gcloud "$@")" >&2
      return
    fi
    if [[ ! $said =~ $PASSING ]] || ((try == ATTEMPTS)); then break; fi
    sleep "$pause"
    pause=$((pause * 2))
  done
  touch "$WORK/failed"
  printf 'error: refused, at attempt %s: %s\n%s\n' "$try" "$(shown gcloud "$@")" "$said" >&2
  exit 1
}

# A command as one would type it; a long one over several lines.
shown() {
  local word line="" text="" joint=" "
  for word; do
    [[ $word =~ ^[A-Za-z0-9_./:=,@%+^~-]+$ ]] || word="'${word//\'/\'\\\'\'}'"
    if ((${#line} + ${#word} > 140)); then
      text+="$line \\"$'\n'"    "
      line=""
    fi
    line+="${line:+$joint}$word"
  done
  printf '%s' "$text$line"
}

# ensure KEY WANTED CREATE... -- UPDATE...: nothing when the fields are those wanted.
ensure() {
  local key=$1 wanted=$2 create=() update=()
  shift 2
  while [[ $1 != -- ]]; do create+=("$1"); shift; done
  update=("${@:2}")
  if ! exists "$key"; then
    start mutate "${create[@]}"
  elif [[ ${STATE[$key]} != "$wanted" ]]; then
    start mutate "${update[@]}"
  fi
}

summary() {
  local count=0
  [[ -e $WORK/changes ]] && count=$(wc -l <"$WORK/changes")
  case $COMMAND:$((count)) in
    plan:0 | up:0) printf '0 changes: everything is as it should be.\n' ;;
    plan:*) printf '\n%s commands; ./deploy.sh up would run them, nothing was changed.\n' "$((count))" ;;
    down:0) printf '0 changes: nothing is left to remove.\n' ;;
    *) printf '\n%s changes, done.\n' "$((count))" ;;
  esac
}
