# shellcheck shell=bash
# Settings: flags, then the --env-file, then defaults; and every name that follows from them.

usage() {
  cat <<'EOF'
Usage: ./deploy.sh COMMAND [OPTION...]

Commands
  plan     change nothing; print the commands that `up` would run, in their order
  up       create what is missing, put right what has drifted, leave the rest alone; may be run again at any time
  verify   send a photograph through every door and wait for its notices (--local: through the running `make up`)
  status   what is deployed, and whether `up` would change anything
  doctor   look for the classic faults, and name the command that mends each
  down     remove everything but the buckets and what waits in the queues (--delete-data: these too, after
           you have typed the prefix, or with --yes)

Where
  --project ID               default: gcloud's own
  --region NAME              default: us-central1; of everything, buckets included: they cannot move later
  --prefix NAME              default: sluice; before every name, so that several can live in one project
  --env-file FILE            lines such as KEEP_UPLOADS_DAYS=30: any option in capitals, with _ for -; flags win

Who may use it
  --allow-unauthenticated[=LIST]   let strangers call issuer and upload, or those of issuer,upload,status in LIST
  --origins LIST             web pages that may PUT to signed URLs, such as https://app.example,https://test.example
  --notify EMAIL             who is told when an alert fires
  --queue-auth queue|task    default: queue, which names the account that calls the processor; task: every task names it

How much
  --instances N              default: 10; the most instances of each service but the processor
  --processor-cpu N          default: 2
  --processor-memory SIZE    default: 4Gi
  --processor-concurrency N  default: 4; tasks in one instance at once
  --processor-instances N    default: enough for all queues of pipeline.toml, and one more
  --max-file-bytes N         default: 536870912; a file lies in the processor's memory while it is worked on
  --url-seconds N            default: 900; how long a signed URL is good
  --keep-uploads-days N      default: 0, for ever; uploads older than this are deleted
  --keep-results-days N      default: 0, for ever

Status: 0 all is well; 1 something was refused or is wrong; 2 the state could not be read, and nothing was changed.
EOF
}

OPTIONS=" project region prefix origins notify queue-auth instances processor-cpu processor-memory processor-concurrency \
processor-instances max-file-bytes url-seconds keep-uploads-days keep-results-days env-file "

fail() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

# settings ARGUMENT...: sets COMMAND and one variable for each option.
settings() {
  COMMAND="" LOCAL="" DELETE_DATA="" YES="" ALLOW_UNAUTHENTICATED=""
  declare -gA GIVEN=()
  while (($#)); do
    case $1 in
      -h | --help | help) usage; exit 0 ;;
      --local) LOCAL=yes ;;
      --delete-data) DELETE_DATA=yes ;;
      --yes) YES=yes ;;
      --allow-unauthenticated) GIVEN[ALLOW_UNAUTHENTICATED]=issuer,upload ;;
      --allow-unauthenticated=*) GIVEN[ALLOW_UNAUTHENTICATED]=${1#*=} ;;
      --*=*) option "${1%%=*}" "${1#*=}" ;;
      --*) (($# > 1)) || fail "$1 takes a value"; option "$1" "$2"; shift ;;
      *) [[ -z $COMMAND ]] || fail "one command at a time: $COMMAND or $1"; COMMAND=$1 ;;
    esac
    shift
  done
  [[ $COMMAND =~ ^(plan|up|verify|status|doctor|down)$ ]] || fail "which command? ./deploy.sh --help lists them"
  [[ -z ${GIVEN[ENV_FILE]-} ]] || env_file "${GIVEN[ENV_FILE]}"
  defaults
}

option() {
  [[ $OPTIONS == *" ${1#--} "* ]] || fail "$1 is no option; ./deploy.sh --help lists them"
  local name=${1#--}
  name=${name//-/_}
  GIVEN[${name^^}]=$2
}

# It is read, not run.
env_file() {
  local line name known file=$1
  [[ $file == /* ]] || file=$CALLER/$1
  [[ -r $file ]] || fail "--env-file $1 cannot be read"
  known=" ALLOW_UNAUTHENTICATED ${OPTIONS^^} "
  while read -r line || [[ $line ]]; do
    [[ -z $line || $line == \#* ]] && continue
    name=${line%%=*}
    [[ $line == *=* && ${known//-/_} == *" $name "* ]] || fail "$1: $line: write NAME=VALUE with an option's name in capitals"
    [[ -v GIVEN[$name] ]] || GIVEN[$name]=${line#*=}
  done <"$file"
}

defaults() {
  PROJECT=${GIVEN[PROJECT]-${CLOUDSDK_CORE_PROJECT-}}
  REGION=${GIVEN[REGION]-us-central1}
  PREFIX=${GIVEN[PREFIX]-sluice}
  ORIGINS=${GIVEN[ORIGINS]-}
  NOTIFY=${GIVEN[NOTIFY]-}
  ALLOW_UNAUTHENTICATED=${GIVEN[ALLOW_UNAUTHENTICATED]-}
  QUEUE_AUTH=${GIVEN[QUEUE_AUTH]-queue}
  INSTANCES=${GIVEN[INSTANCES]-10}
  PROCESSOR_CPU=${GIVEN[PROCESSOR_CPU]-2}
  PROCESSOR_MEMORY=${GIVEN[PROCESSOR_MEMORY]-4Gi}
  PROCESSOR_CONCURRENCY=${GIVEN[PROCESSOR_CONCURRENCY]-4}
  PROCESSOR_INSTANCES=${GIVEN[PROCESSOR_INSTANCES]-}
  MAX_FILE_BYTES=${GIVEN[MAX_FILE_BYTES]-536870912}
  URL_SECONDS=${GIVEN[URL_SECONDS]-900}
  KEEP_UPLOADS_DAYS=${GIVEN[KEEP_UPLOADS_DAYS]-0}
  KEEP_RESULTS_DAYS=${GIVEN[KEEP_RESULTS_DAYS]-0}
}

# Checks the settings and derives every name; asks gcloud for its own project at most.
read_settings() {
  [[ $PROJECT ]] || PROJECT=$(gcloud config get-value project 2>/dev/null) || command -v gcloud >/dev/null || no_gcloud
  [[ $PROJECT ]] || fail "which project? --project ID"
  check_settings
  read_pipeline
  command -v gcloud >/dev/null || no_gcloud
  export CLOUDSDK_CORE_PROJECT=$PROJECT CLOUDSDK_CORE_DISABLE_PROMPTS=1
  ACCOUNTS=("${OTHER_ACCOUNTS[@]}")
  SERVICES=()
  each_service name_service
  WORK=${DEPLOY_FOLDER:-.deploy/$PROJECT-$PREFIX}
}

no_gcloud() { fail "gcloud is not installed: https://cloud.google.com/sdk/docs/install"; }

name_service() {
  SERVICES+=("$1")
  ACCOUNTS+=("$1")
}

# each_service FUNCTION: calls it with every row of services() in deploy.sh.
each_service() {
  ACT=$1
  services
}
service() { "$ACT" "$@"; }

check_settings() {
  need PROJECT '[a-z][a-z0-9-]{4,28}[a-z0-9]' "a project's id"
  need REGION '[a-z]+-[a-z]+[0-9]+' "a region such as us-central1"
  need PREFIX '[a-z]([a-z0-9-]{0,17}[a-z0-9])?' "up to 19 lower-case letters, digits and hyphens: accounts have 30 at most"
  need QUEUE_AUTH 'queue|task' "queue or task"
  need ALLOW_UNAUTHENTICATED '((issuer|upload|status)(,(issuer|upload|status))*)?' "some of issuer,upload,status; no other service is for strangers"
  need ORIGINS '(https?://[^,/ "]+(,https?://[^,/ "]+)*)?' "origins such as https://app.example, without a path"
  need NOTIFY '([^@ "]+@[^@ "]+)?' "an e-mail address"
  need PROCESSOR_CPU '1|2|4|6|8' "what Cloud Run offers: 1, 2, 4, 6 or 8"
  need PROCESSOR_MEMORY '[1-9][0-9]{0,5}(Mi|Gi)' "a size such as 4Gi"
  need PROCESSOR_INSTANCES '([1-9][0-9]*)?' "a whole number above 0"
  local name
  for name in INSTANCES PROCESSOR_CONCURRENCY MAX_FILE_BYTES URL_SECONDS; do
    need "$name" '[1-9][0-9]{0,14}' "a whole number above 0"
  done
  for name in KEEP_UPLOADS_DAYS KEEP_RESULTS_DAYS; do need "$name" '0|[1-9][0-9]{0,4}' "a number of days; 0 keeps for ever"; done
}

need() {
  local option=${1,,}
  [[ ${!1} =~ ^($2)$ ]] || fail "--${option//_/-} is '${!1}'; it takes $3"
}

# Queues, and whether the processor can take what they send at once.
read_pipeline() {
  python3 -c 'import tomllib' 2>/dev/null || fail "python3 has to be Python 3.11 or newer"
  QUEUES=$(python3 deploy/queues.py pipeline.toml) || exit 1
  local name rate at_once rest sum=0 memory=$PROCESSOR_MEMORY
  while read -r name rate at_once rest; do sum=$((sum + at_once)); done <<<"$QUEUES"
  : "$name" "$rate" "$rest"
  # One instance more than the sum takes: while one starts or ends, the queues do not wait.
  [[ $PROCESSOR_INSTANCES ]] || PROCESSOR_INSTANCES=$(((sum + PROCESSOR_CONCURRENCY - 1) / PROCESSOR_CONCURRENCY + 1))
  ((PROCESSOR_INSTANCES * PROCESSOR_CONCURRENCY >= sum)) ||
    fail "the queues send $sum tasks at once, $PROCESSOR_INSTANCES instances take $((PROCESSOR_INSTANCES * PROCESSOR_CONCURRENCY)):" \
      "raise --processor-instances or --processor-concurrency, or lower max_concurrent_dispatches in pipeline.toml"
  [[ $memory == *Gi ]] && memory=$((${memory%Gi} * 1024))
  memory=${memory%Mi}
  memory_for_cpu "$memory"
  # A file and its outputs lie in memory (/tmp is memory on Cloud Run), beside a picture of 50 megapixels being worked on.
  local least=$((256 + PROCESSOR_CONCURRENCY * (MAX_FILE_BYTES / 1048576 + 384)))
  ((memory >= least)) ||
    fail "$PROCESSOR_CONCURRENCY files of $MAX_FILE_BYTES bytes at once take ${least}Mi: raise --processor-memory," \
      "or lower --processor-concurrency or --max-file-bytes"
}

# memory_for_cpu MEBIBYTES: how much Cloud Run gives to so many CPUs, https://cloud.google.com/run/docs/configuring/services/memory-limits
memory_for_cpu() {
  local -A least=([1]=512 [2]=512 [4]=2048 [6]=4096 [8]=4096)
  local most=$((PROCESSOR_CPU * 4096))
  (($1 >= least[$PROCESSOR_CPU] && $1 <= most)) ||
    fail "--processor-memory is '$PROCESSOR_MEMORY'; with --processor-cpu $PROCESSOR_CPU Cloud Run takes ${least[$PROCESSOR_CPU]}Mi to $((most / 1024))Gi"
}

# The names of things; NUMBER, the project's, is known once the state has been read.
bucket_name() { echo "$PROJECT-$PREFIX-$1"; }
email() { echo "$PREFIX-$1@$PROJECT.iam.gserviceaccount.com"; }
host() { echo "$PREFIX-$1-$NUMBER.$REGION.run.app"; }
url() { echo "https://$(host "$1")"; }
