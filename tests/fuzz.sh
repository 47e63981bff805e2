#!/usr/bin/env bash
# Hostile bytes for everything that parses external input: both decoders of events and of items, embeddings, user histories,
# ingestion snapshots, safetensors, checkpoints. Every build runs a short form of it.
#   bash tests/fuzz.sh [--factor N]     N times as many cases; default 10
# Exit 0: no crash, no hang, no case above its memory limit. Exit 1 otherwise.
set -uo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=deploy/install.sh
. "$top/deploy/install.sh"
set +e

factor=10
while [ $# -gt 0 ]; do
  case $1 in
    --factor) factor=$2; shift 2 ;;
    *) echo "Unknown option $1; allowed: --factor." >&2; exit 2 ;;
  esac
done

require_sdk
install_missing
status=0
for name in Streaming.Core.Tests Streaming.Transport.Tests Streaming.Learning.Tests; do
  dotnet build "$top/tests/$name" -c Release --nologo -v quiet || exit 1
  # An hour for a factor of 10 is far more than needed: anything longer hangs.
  FUZZ_FACTOR=$factor timeout $((factor * 360)) "$top/.artifacts/bin/$name/release/$name" -noColor -trait "Kind=Fuzz" -reporter verbose -showLiveOutput \
    | grep -E 'fuzz:|FAIL|Failed:|Case |Assert|\[FINISHED\]'
  [ "${PIPESTATUS[0]}" -eq 0 ] || status=1
done
exit $status
