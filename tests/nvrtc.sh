#!/usr/bin/env bash
# nvrtc.sh: prints a folder with NVIDIA's run-time compiler (NVRTC), which compiles the CUDA kernels for a GPU without one.
#
# CUDA's own, if it is installed; else 16 MB of Debian 12's component non-free (NVRTC 11.8, up to sm_90), downloaded once into
# ~/.cache/streaming and verified by apt's signatures. Nothing is installed. NVIDIA's licence applies to it.
# Exit 69: not available here; the last line says why.
set -euo pipefail
cache=${XDG_CACHE_HOME:-$HOME/.cache}/streaming/nvrtc
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
lib=usr/lib/x86_64-linux-gnu

fail() {
  printf 'nvrtc: %s\n' "$*" >&2
  exit 69
}

for folder in /usr/local/cuda/lib64 "/$lib" "$cache/$lib"; do
  if compgen -G "$folder/libnvrtc.so.*" >/dev/null; then
    echo "$folder"
    exit 0
  fi
done

[ "$(uname -sm)" = "Linux x86_64" ] || fail "Debian's NVRTC is for Linux x86_64; this is $(uname -sm)"
for program in apt-get dpkg-deb flock; do
  command -v "$program" >/dev/null || fail "$program is missing"
done
[ -f "$keyring" ] || fail "$keyring is missing (package debian-archive-keyring)"
mirror=$(apt-get update --print-uris 2>/dev/null | sed -nE "s#^'(.*)/dists/(bookworm|oldstable)/InRelease' .*#\\1#p" | head -n 1)
[ -n "$mirror" ] || fail "apt's sources name no mirror of Debian 12 (bookworm)"

mkdir -p "$(dirname "$cache")"
(
  flock 9
  [ ! -d "$cache" ] || exit 0
  rm -rf "$cache.part"
  state=$cache.part/apt
  mkdir -p "$state"/{lists/partial,archives/partial,parts} "$cache.part/debs"
  : >"$state/status"
  printf 'deb [signed-by=%s] %s bookworm non-free\n' "$keyring" "$mirror" >"$state/sources.list"
  apt=(apt-get -q -o "Dir::State=$state" -o "Dir::State::status=$state/status" -o "Dir::State::lists=$state/lists" -o "Dir::Cache=$state"
    -o "Dir::Etc::sourcelist=$state/sources.list" -o "Dir::Etc::sourceparts=$state/parts" -o "Dir::Etc::preferencesparts=$state/parts"
    -o Dir::Etc::preferences=/dev/null -o Acquire::Languages=none -o "APT::Sandbox::User=$(id -un)"
    -o Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false -o Acquire::IndexTargets::deb::DEP-11-icons-small::DefaultEnabled=false)
  { "${apt[@]}" -o APT::Update::Error-Mode=any update && (cd "$cache.part/debs" && "${apt[@]}" download libnvrtc11.2 libnvrtc-builtins11.8); } \
    >"$cache.log" 2>&1 || fail "libnvrtc11.2 could not be fetched from $mirror: $(tail -n 1 "$cache.log")"
  for deb in "$cache.part"/debs/*.deb; do dpkg-deb -x "$deb" "$cache.part"; done
  rm -rf "$state" "$cache.part/debs"
  mv -T "$cache.part" "$cache"
) 9>"$cache.lock"
compgen -G "$cache/$lib/libnvrtc.so.*" >/dev/null || fail "libnvrtc11.2 from $mirror has no libnvrtc.so"
echo "$cache/$lib"
