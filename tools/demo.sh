#!/bin/sh
# demo.sh -- what `make run` runs: a daemon with a small made-up business in it.
#
# The data lie in .kith/demo, or in KITH_DATA, and are kept: a second run serves what the
# first one loaded.  The past is replayed, so that every event has the log time at which it
# happened and the rules did then what they would have done; what is due today is due today.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
build=${KITH_BUILD:-$root/build/release}
data=${KITH_DATA:-$root/.kith/demo}
listen=${KITH_LISTEN:-127.0.0.1:8077}
kith=$build/kith
rules=$root/scripts/demo

die() {
    printf 'demo: %s\n' "$1" >&2
    exit 1
}

[ -x "$build/kithd" ] && [ -x "$kith" ] || die "nothing is built in $build: run make build"
mkdir -p "$data"
log=$data/kithd.log

# ---- The daemon -----------------------------------------------------------------------

: >"$log" # so that no earlier run's address is read below
"$build/kithd" --data "$data" --listen "$listen" --scripts "$rules" 2>"$log" &
daemon=$!
finish() {
    trap - EXIT INT TERM
    kill -TERM "$daemon" 2>/dev/null && wait "$daemon"
    exit "$1"
}
trap 'finish $?' EXIT
trap 'finish 0' INT TERM

tries=0
until url=$(sed -n 's/^kithd: ready on //p' "$log") && [ -n "$url" ]; do
    kill -0 "$daemon" 2>/dev/null || { cat "$log" >&2; die "the daemon did not start"; }
    tries=$((tries + 1))
    [ "$tries" -lt 300 ] || die "the daemon is not ready after 30 seconds: see $log"
    sleep 0.1
done
export KITH_URL="$url"
unset KITH_KEY
kith() {
    "$kith" --key-file "$data/admin.key" "$@"
}

# ---- The business, once ------------------------------------------------------------------

load() {
    now=$(date -u -d '2 minutes ago' +%Y-%m-%dT%H:%M:%SZ)
    [ -s "$data/until" ] || printf '%s\n' "$now" >"$data/until"
    until=$(cat "$data/until")
    generate="python3 $root/tools/demo_data.py --until $until"
    echo "Loading three months of a made-up shop for tea and ceramics ..."
    $generate past >"$data/past.ndjson"
    kith import --replay --more "$data/past.ndjson"
    kith reminders --json | $generate done >"$data/recent.ndjson"
    $generate recent >>"$data/recent.ndjson"
    kith import --replay "$data/recent.ndjson"
    touch "$data/loaded"
}

[ -e "$data/loaded" ] || load

# ---- What there is to see -------------------------------------------------------------------

cat <<END

What three sets of rules did (scripts/demo):

END
kith reminders --state all --json | python3 -c '
import collections, json, sys
tasks = [json.loads(line) for line in sys.stdin]
rules = collections.Counter((task.get("rule", "by hand"), task["state"]) for task in tasks)
for (rule, state), count in sorted(rules.items()):
    print(f"  {count:4} follow-ups {state:5} {rule}")'
kith effects --json --limit 1000 | python3 -c '
import collections, json, sys
effects = [json.loads(line) for line in sys.stdin]
rules = collections.Counter(
    (effect.get("rule", ""), ": ".join(filter(None, (effect["state"], effect.get("reason")))))
    for effect in effects)
for (rule, state), count in sorted(rules.items()):
    print(f"  {count:4} messages {state}  {rule}")'
printf '\nDue today, and which rule says so:\n\n'
kith reminders --due today
customer=$(kith reminders --due today --json --limit 1 | sed -n 's/.*"customer":\([0-9]*\).*/\1/p')
task=$(kith reminders --due today --json --limit 1 | sed -n 's/^{"id":\([0-9]*\).*/\1/p')
effect=$(kith effects --json --limit 1 | sed -n 's/^{"id":"\([0-9.]*\)".*/\1/p')

cat <<END

Try next, in another terminal:

  export KITH_URL=$url KITH_KEY=\$(cat $data/admin.key) PATH=$build:\$PATH

  kith show ${customer:-1}
  kith timeline ${customer:-1}
  kith done ${task:-1} --outcome reached --next 14d
  kith explain ${effect:-1}
  kith remind ${customer:-1} "Send the new catalogue" --due 3d --to anna

Serving on $url; data in $data.  Ctrl-C ends it.
END
wait "$daemon"
