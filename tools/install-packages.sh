#!/bin/sh
# install-packages.sh SECTION... -- install what tools/packages.txt lists and
# this machine lacks.  Asks dpkg first, so that a second run costs milliseconds
# and neither network nor rights.
set -eu

list=$(dirname "$0")/packages.txt

listed() {
    awk -v wanted=" $* " '
        /^\[.*\]$/ { name = substr($0, 2, length($0) - 2); on = index(wanted, " " name " ") }
        on && /^[a-z0-9]/ && !seen[$1]++ { print $1 }' "$list"
}

# npm may have come with a nodejs from elsewhere, which Debian's would push out.
is_here() {
    [ "$1" = npm ] && command -v npm >/dev/null
}

missing() {
    installed=$(dpkg-query -W -f '${db:Status-Abbrev}${Package}\n' "$@" 2>/dev/null |
        sed -n 's/^[ih]i //p') || true
    for package in "$@"; do
        printf '%s\n' "$installed" | grep -qxF -e "$package" || is_here "$package" ||
            printf '%s\n' "$package"
    done
}

die() {
    printf 'install-packages: %s\n' "$1" >&2
    exit 1
}

[ $# -gt 0 ] || die "name one or more sections of $list: build test bench"
for section in "$@"; do
    grep -qxF -e "[$section]" "$list" || die "$list has no section [$section]"
done

packages=$(listed "$@")
command -v dpkg-query >/dev/null ||
    die "this is not a Debian system; install the equivalent of: $(echo $packages)"
needed=$(missing $packages)
[ -n "$needed" ] || exit 0

as_root=
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null ||
        die "not root and no sudo; let an administrator run: apt-get install $(echo $needed)"
    as_root=sudo
fi

echo "installing: $(echo $needed)"
$as_root apt-get -q update
# A mail server is wanted as a program; as a service it would begin to listen on this machine.
if printf '%s\n' "$needed" | grep -qx postfix; then
    echo "postfix postfix/main_mailer_type select No configuration" |
        $as_root debconf-set-selections
fi
# Pattern-Only: apt-get takes a name it does not know, and in which it sees a +
# or a dot, for a regular expression, and installs every package that matches.
$as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 \
    -o APT::Cmd::Pattern-Only=true --no-install-recommends install $needed
