#!/usr/bin/env bash
# Installs what the quick start and the tests need beside the .NET SDK, if it is missing: redis-server.
# Debian 12 or a relative, as root or with sudo. Sourced or run.
set -euo pipefail

say() { printf '%s\n' "$*" >&2; }
fail() { say "streaming: $*"; exit 1; }

require_sdk() {
  command -v dotnet >/dev/null 2>&1 ||
    fail "the .NET 10 SDK is missing (no 'dotnet' on the PATH); see https://dotnet.microsoft.com/download/dotnet/10.0"
  dotnet --list-sdks 2>/dev/null | grep -q '^10\.' ||
    fail "the .NET 10 SDK is missing; found: $(dotnet --list-sdks 2>/dev/null | tr '\n' ' ')"
}

# install_missing [PROGRAM[=PACKAGE] …]: redis-server and these.
install_missing() { install_these redis-server "$@"; }

# install_these PROGRAM[=PACKAGE] …: each from the Debian package of its name unless another is given.
install_these() {
  local missing=() program
  for program in "$@"; do
    command -v "${program%%=*}" >/dev/null 2>&1 || missing+=("${program#*=}")
  done
  [ "${#missing[@]}" -eq 0 ] && return 0

  command -v apt-get >/dev/null 2>&1 ||
    fail "missing: ${missing[*]} (Debian's names), and there is no apt-get here. Install them by your system's means (Redis 6.2, Open MPI 4.1 or later)."
  local root=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null 2>&1 ||
      fail "missing: ${missing[*]}. Run this as root, or install sudo, or ask for: apt-get install ${missing[*]}"
    root=(sudo)
  fi

  say "streaming: installing ${missing[*]}"
  local log
  log=$(mktemp)
  if ! "${root[@]}" apt-get update -q >"$log" 2>&1 ||
     ! "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}" >>"$log" 2>&1; then
    tail -n 15 "$log" >&2
    rm -f "$log"
    fail "could not install ${missing[*]}: the lines above say why (no network, or no rights?). By hand: apt-get install ${missing[*]}"
  fi
  rm -f "$log"
}

if [ "${BASH_SOURCE[0]}" = "$0" ]; then
  require_sdk
  install_missing
fi
