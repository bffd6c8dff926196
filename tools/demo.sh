#!/bin/sh
# demo.sh -- what `make run` runs: a daemon with a small made-up business in it.
#
# The data lie in .kith/demo, or in KITH_DATA, and are kept: a second run serves what the
# first one loaded.  The past is replayed, so that every event has the log time at which it
# happened and the rules did then what they would have done; what is due today is due today.
#
# What staff did about the follow-ups depends on which there were.  So the year is folded twice:
# in a daemon of its own without staff, which tells, and then with what staff did.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
build=${KITH_BUILD:-$root/build/release}
data=${KITH_DATA:-$root/.kith/demo}
listen=${KITH_LISTEN:-127.0.0.1:8077}
rules=$root/scripts/demo
daemon= scratch=

die() {
    printf 'demo: %s\n' "$1" >&2
    exit 1
}

[ -x "$build/kithd" ] && [ -x "$build/kith" ] || die "nothing is built in $build: run make build"
mkdir -p "$data"
data=$(cd "$data" && pwd)
unset KITH_KEY

# ---- The daemon -----------------------------------------------------------------------

# begin DIR HOST:PORT: a daemon on that data; sets `daemon` and KITH_URL.
begin() {
    mkdir -p "$1"
    cp "$root/tools/demo.lua" "$1/kith.lua"
    : >"$1/kithd.log" # so that no earlier run's address is read below
    "$build/kithd" --config "$1/kith.lua" --data "$1" --listen "$2" --scripts "$rules" \
        2>"$1/kithd.log" &
    daemon=$! key=$1/admin.key tries=0
    until KITH_URL=$(sed -n 's/^kithd: ready on //p' "$1/kithd.log") && [ -n "$KITH_URL" ]; do
        kill -0 "$daemon" 2>/dev/null || { cat "$1/kithd.log" >&2; die "it did not start"; }
        tries=$((tries + 1))
        [ "$tries" -lt 600 ] || die "the daemon is not ready after 60 seconds: see $1/kithd.log"
        sleep 0.1
    done
    export KITH_URL
}

end() {
    [ -z "$daemon" ] || { kill -TERM "$daemon" 2>/dev/null && wait "$daemon"; } || true
    daemon=
}

finish() {
    trap - EXIT INT TERM
    end
    [ -z "$scratch" ] || rm -rf "$scratch"
    exit "$1"
}
trap 'finish $?' EXIT
trap 'finish 0' INT TERM

kith() {
    "$build/kith" --key-file "$key" "$@"
}

# ---- The business, once ------------------------------------------------------------------

# Each moment of a replayed past is a commit of its own, tens of thousands of them: on a disk that
# takes minutes, so the year is folded in memory where there is some to be had.
room() {
    free=$(df -Pk /dev/shm 2>/dev/null | awk 'NR == 2 { print $4 }')
    [ "${free:-0}" -ge 131072 ] && scratch=$(mktemp -d /dev/shm/kith-demo-XXXXXX 2>/dev/null) ||
        scratch=$(mktemp -d "$data/loading-XXXXXX")
}

generate() {
    python3 "$root/tools/demo_data.py" --until "$until" "$1"
}

# Until lists hold all that was loaded: those of a daemon that is still busy say so.
settle() {
    while kith reminders --limit 1 2>&1 >/dev/null | grep -q 'is busy'; do sleep 0.2; done
}

load() {
    until=$(date -u -d '1 minute ago' +%Y-%m-%dT%H:%M:%SZ)
    echo "Loading a year of a made-up house for tea and ceramics: 3,000 customers, three shops."
    room
    generate calls >"$scratch/year.ndjson"

    begin "$scratch/first" 127.0.0.1:0
    kith import --replay "$scratch/year.ndjson" >"$scratch/told"
    settle
    kith reminders --state all --json | generate 'done' >>"$scratch/year.ndjson"
    end
    rm -rf "$scratch/first"

    begin "$scratch/second" 127.0.0.1:0
    kith import --replay "$scratch/year.ndjson"
    settle
    end
    rm -rf "$data/log" "$data/state" # of half a load
    cp -R "$scratch/second/." "$data"
    printf '%s\n' "$until" >"$data/loaded"
    rm -rf "$scratch"
}

if [ -s "$data/loaded" ]; then
    begin "$data" "$listen"
    echo "Loaded at $(cat "$data/loaded"); rm -r $data begins anew."
else
    load
    begin "$data" "$listen"
fi

# ---- What there is to see -------------------------------------------------------------------

export KITH_KEY="$(cat "$key")"
python3 "$root/tools/demo_tour.py" "$build" "$data"
wait "$daemon"
