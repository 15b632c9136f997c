# shellcheck shell=bash
# What watches over it: log-based metrics, alerts and whom they tell, the dashboard; rendered from deploy/metrics, alerts, dashboard.json.

metric() {
  local name spec filter
  name=$PREFIX-$(basename "$1" .json)
  spec=$(render "$1" "metric-$name")
  filter=$(python3 -c 'import json, sys; print(json.load(sys.stdin)["filter"])' <"$WORK/metric-$name.json")
  ensure "metric $name" "$(description "$1") ($spec)|$filter" \
    logging metrics create "$name" --config-from-file="$WORK/metric-$name.json" \
    -- logging metrics update "$name" --config-from-file="$WORK/metric-$name.json"
}

description() { sed -n 's/.*"description": "\(.*\) (@SPEC@)".*/\1/p' "$1"; }

# Tuned by hand in the console it stays as it is, until our own definition changes; switched off, it is switched on again.
alert() {
  local title spec is file
  title=$(alert_title "$1")
  file=$WORK/alert-$(basename "$1")
  spec=$(render "$1" "alert-$(basename "$1" .json)")
  only_first "alert $title" "${ALERTS[@]}" delete
  is=${STATE["alert $title"]-}
  ensure "alert $title" "${is%%|*}|True|$spec" "${ALERTS[@]}" create --policy-from-file="$file" \
    -- "${ALERTS[@]}" update "${is%%|*}" --policy-from-file="$file"
}
ALERTS=(alpha monitoring policies)

alert_title() { echo "Sluice ($PREFIX): $(basename "$1" .json | tr - ' ')"; }

# only_first KEY COMMAND...: two things may have one title; all but the first go.
only_first() {
  local row first="" rows=${STATE[$1]-}
  while IFS= read -r row; do
    if [[ $first ]]; then start mutate "${@:2}" "${row%%|*}"; else first=$row; fi
  done <<<"$rows"
  [[ -z $first ]] || STATE[$1]=$first
}

dashboard() {
  local is file=$WORK/dashboard.json spec etag
  only_first "dashboard Sluice ($PREFIX)" monitoring dashboards delete
  is=${STATE["dashboard Sluice ($PREFIX)"]-}
  etag=${is##*|}
  spec=$(render deploy/dashboard.json dashboard)
  [[ -z $is ]] || printf '{"etag": "%s",%s\n' "$etag" "$(tail -c +2 "$file")" >"$file.new"
  [[ -z $is ]] || mv "$file.new" "$file"
  ensure "dashboard Sluice ($PREFIX)" "${is%%|*}|spec-$spec=|$etag" monitoring dashboards create --config-from-file="$file" \
    -- monitoring dashboards update "${is%%|*}" --config-from-file="$file"
}

# Sets CHANNEL, what alerts name to tell somebody. One with our title is ours; those of others to the same address stay theirs.
notification_channel() {
  local address name
  CHANNEL=""
  [[ $NOTIFY ]] || return 0
  while IFS='|' read -r address name; do
    [[ $address != "$NOTIFY" ]] || CHANNEL=$name
  done <<<"${STATE["channel Sluice ($PREFIX)"]-}"
  [[ -z $CHANNEL ]] || return 0
  announce
  mutate beta monitoring channels create --display-name="Sluice ($PREFIX)" --type=email --channel-labels="email_address=$NOTIFY" --format='value(name)'
  CHANNEL=CHANNEL-OF-$NOTIFY
  [[ $COMMAND != up ]] || CHANNEL=$(<"$PRINTED")
}

# By name, and not by what they begin with: another deployment may be called $PREFIX-eu.
one_of() {
  local IFS='|'
  printf '%s' "$*"
}

# render TEMPLATE NAME: fills a template into $WORK/NAME.json; prints what stands for its content in labels.
render() {
  local text spec channel=${CHANNEL:+\"$CHANNEL\"}
  text=$(<"$1")
  text=${text//@PREFIX@/$PREFIX}
  text=${text//@SERVICES@/$(one_of "${SERVICES[@]}")}
  text=${text//@QUEUES@/$(mapfile -t names <<<"$(queue_names)"; one_of "${names[@]}")}
  text=${text//@SUBSCRIPTIONS@/$(one_of "${SUBSCRIPTIONS[@]}")}
  text=${text//@PROJECT@/$PROJECT}
  text=${text//\"@CHANNEL@\"/$channel}
  spec=$(cksum <<<"$text")
  spec=${spec%% *}
  printf '%s\n' "${text//@SPEC@/$spec}" >"$WORK/$2.json"
  echo "$spec"
}
