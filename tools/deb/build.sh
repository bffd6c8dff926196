#!/bin/sh
# build.sh BUILD OUT -- a Debian package of what is built in BUILD, into the directory OUT.
#
# It is what `make install` installs, laid out as Debian wants it: programs without symbols, the
# unit with a user of its own instead of a dynamic one (files outside systemd's keeping, TLS keys
# for one, can then be given to somebody), the configuration as a conffile.  Nothing is taken
# from a network, no helper is needed but dpkg's own, and the same tree gives the same bytes.
set -eu

[ $# -eq 2 ] || { echo "usage: build.sh BUILD OUT" >&2; exit 2; }
root=$(cd "$(dirname "$0")/../.." && pwd)
build=$(cd "$1" && pwd)
mkdir -p "$2"
out=$(cd "$2" && pwd)
here=$root/tools/deb
umask 022

[ -x "$build/kithd" ] && [ -x "$build/kith" ] || { echo "nothing is built in $build" >&2; exit 1; }
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
tree=$stage/tree
mkdir "$tree"

# The newest change of the tree; a tree without history has the files' own times.
if [ -z "${SOURCE_DATE_EPOCH:-}" ]; then
    SOURCE_DATE_EPOCH=$(git -C "$root" log -1 --format=%ct 2>/dev/null) ||
        SOURCE_DATE_EPOCH=$(stat -c %Y "$root/CMakeLists.txt")
fi
export SOURCE_DATE_EPOCH

version=$("$build/kithd" --version)
version=${version#kithd }
architecture=$(dpkg --print-architecture)
maintainer="${DEBFULLNAME:-Kith maintainers} <${DEBEMAIL:-kith@example.org}>" # as Debian's tools

# ---- Files ---------------------------------------------------------------------------------

DESTDIR=$tree cmake --install "$build" --prefix /usr --strip >/dev/null
strip --remove-section=.comment "$tree"/usr/bin/*
find "$tree" -path "$tree/usr" -prune -o -type f -exec rm {} + # configuration of another prefix
rm -rf "$tree/usr/lib/systemd" "$tree/usr/local" "$tree/usr/etc"
find "$tree" -type d -empty -delete

mkdir -p "$tree/etc/kith" "$tree/lib/systemd/system"
cp "$root/tools/kith.lua" "$tree/etc/kith/kith.lua"
sed -e 's|@CMAKE_INSTALL_FULL_BINDIR@|/usr/bin|; s|@CMAKE_INSTALL_FULL_SYSCONFDIR@|/etc|' \
    -e 's|^DynamicUser=yes$|User=kith\nGroup=kith|' \
    "$root/tools/kithd.service.in" >"$tree/lib/systemd/system/kithd.service"
grep -q '^User=kith$' "$tree/lib/systemd/system/kithd.service"

mkdir -p "$tree/usr/share/zsh/vendor-completions"
mv "$tree/usr/share/zsh/site-functions/_kith" "$tree/usr/share/zsh/vendor-completions/"
rmdir "$tree/usr/share/zsh/site-functions"

doc=$tree/usr/share/doc/kith
mkdir -p "$doc"
cp "$here/copyright" "$doc/"
cat >"$stage/changelog" <<END
kith ($version) bookworm; urgency=medium

  * Version $version.

 -- $maintainer  $(date -u -R -d "@$SOURCE_DATE_EPOCH")
END
gzip -9nc "$stage/changelog" >"$doc/changelog.gz"
find "$tree/usr/share/man" -type f -exec gzip -9n {} +

# ---- Control -------------------------------------------------------------------------------

mkdir -p "$stage/debian" "$tree/DEBIAN"
printf 'Source: kith\n\nPackage: kith\nArchitecture: any\n' >"$stage/debian/control"
plugins=$(cd "$stage" && find tree/usr -path '*/kith/plugins/*.so' -printf ' -e%p')
# shellcheck disable=SC2086 # words, and none has a blank
libraries=$(cd "$stage" && dpkg-shlibdeps -O -etree/usr/bin/kithd -etree/usr/bin/kith $plugins \
    2>/dev/null |
    sed -n 's/^shlibs:Depends=//p')
[ -n "$libraries" ] || { echo "dpkg-shlibdeps found no libraries" >&2; exit 1; }

find "$tree" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
(cd "$tree" && find . -path ./DEBIAN -prune -o -type f -printf '%P\n' | LC_ALL=C sort |
    xargs -d '\n' md5sum >DEBIAN/md5sums)
echo /etc/kith/kith.lua >"$tree/DEBIAN/conffiles"
sed -e "s|@VERSION@|$version|; s|@ARCHITECTURE@|$architecture|; s|@LIBRARIES@|$libraries|" \
    -e "s|@MAINTAINER@|$maintainer|" \
    -e "s|@SIZE@|$(du -sk --apparent-size --exclude DEBIAN "$tree" | cut -f1)|" \
    "$here/control.in" >"$tree/DEBIAN/control"
for script in postinst prerm postrm; do
    install -m 0755 "$here/$script" "$tree/DEBIAN/$script"
done

package=$out/kith_${version}_$architecture.deb
dpkg-deb --root-owner-group -Zxz --build "$tree" "$package" >/dev/null
echo "$package"
