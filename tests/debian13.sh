#!/usr/bin/env bash
# debian13.sh [FOLDER]: runs the published program on Debian 13, in a root created by debootstrap, with the contents of a .NET
# image (the shared runtime, ICU, time zones, certificates, OpenSSL, zlib, the C and C++ runtime) and redis-server, but
# no SDK and no repository; then again with Debian's own librdkafka (2.8) installed. Not part of tests/run.sh: it
# needs root, debootstrap, Debian's mirror, 500 MB and a few minutes. FOLDER keeps the root for reuse.
# Last line: `N passed, N failed`.
set -uo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
folder=${1:-$(mktemp -d)}
root=$folder/root
[ $# -gt 0 ] || trap 'rm -rf "$folder"' EXIT

say() { printf '%s\n' "$*"; }
fail() { say "debian13: $*" >&2; exit 1; }

[ "$(id -u)" -eq 0 ] || fail "needs root"
command -v debootstrap >/dev/null || fail "debootstrap is missing: apt-get install debootstrap"

packages=(libicu76 tzdata ca-certificates libssl3t64 zlib1g libstdc++6 libgcc-s1 redis-server)

# in_root CMD…: runs CMD in the root, with separate mount and process namespaces and environment.
in_root() {
  unshare --mount --pid --fork bash -c 'mount -t proc proc "$0/proc"; mount --rbind /dev "$0/dev"; root=$0; exec chroot "$root" "$@"' "$root" \
    env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root DEBIAN_FRONTEND=noninteractive "$@"
}

if [ ! -e "$folder/made" ]; then
  # The mirror already configured on this machine.
  mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' | grep -v security | head -n 1)
  say "making a Debian 13 root from $mirror"
  rm -rf "$root"
  mkdir -p "$folder"
  include=$(IFS=,; echo "${packages[*]}")
  debootstrap --variant=minbase --include="$include" trixie "$root" "$mirror" >"$folder/log" 2>&1 || { tail -n 5 "$folder/log" >&2; fail "debootstrap failed; its log is $folder/log"; }
  touch "$folder/made"
fi

say "publishing"
rm -rf "$root/app" "$root/dotnet"
"$top/tests/publish.sh" "$root/app" lab || fail "a build stage of deploy/Dockerfile failed"
sdk=$(dirname "$(readlink -f "$(command -v dotnet)")")
mkdir -p "$root/dotnet"
cp -r "$sdk/host" "$sdk/shared" "$root/dotnet/"

passed=0
failed=0
# check NAME WANTED CMD…: expects exit code 0 and a matching line.
check() {
  local name=$1 wanted=$2 output status
  shift 2
  output=$(in_root env DOTNET_ROOT=/dotnet "$@" 2>&1)
  status=$?
  if [ $status -eq 0 ] && grep -qE "$wanted" <<<"$output"; then
    passed=$((passed + 1))
    say "passed: $name: $(grep -m 1 -oE "$wanted" <<<"$output")"
  else
    failed=$((failed + 1))
    say "FAILED: $name: exit code $status, no line that matches '$wanted'"
    tail -n 20 <<<"$output"
  fi
}

check_all() {
  check "--version, $1" '^[0-9]+\.[0-9]+\.[0-9]+' /app/streaming-lab --version
  check "demo learns, $1" 'events +produced 3000 = trained [0-9]+' /app/streaming-lab demo --no-serve --count 3000
  check "demo takes the package's librdkafka, $1" 'librdkafka 2\.[0-9]+\.[0-9]+ from /app/[a-z0-9-]+\.so' /app/streaming-lab demo --no-serve --count 100
}

in_root dpkg --purge librdkafka-dev librdkafka1 librdkafka++1 >/dev/null 2>&1
check_all "without a librdkafka in the system"
if in_root apt-get install -y -q --no-install-recommends librdkafka-dev >"$folder/log" 2>&1 || { in_root apt-get update -q && in_root apt-get install -y -q --no-install-recommends librdkafka-dev; } >>"$folder/log" 2>&1; then
  check_all "beside $(in_root dpkg-query -W -f '${Package} ${Version}' librdkafka1)"
else
  failed=$((failed + 1))
  say "FAILED: librdkafka-dev could not be installed in the root; the log is $folder/log"
fi

say "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
