#!/usr/bin/env bash
# Kills the worker again and again under load and compares what survived with what was produced.
#   bash tests/chaos.sh [--kills N] [--seed S] [--rate EVENTS_A_SECOND] [--report FILE] [--folder FOLDER]
# Exit 0: nothing lost, nothing twice, nothing stale. Exit 1 otherwise, with the differences.
set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=deploy/install.sh
. "$top/deploy/install.sh"
require_sdk
install_missing
dotnet build "$top/tests/Streaming.Chaos" -c Release --nologo -v quiet
exec "$top/.artifacts/bin/Streaming.Chaos/release/Streaming.Chaos" "$@"
