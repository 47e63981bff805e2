#!/usr/bin/env bash
# A steady load with one fault every half minute (Redis killed and emptied, the broker down, Redis frozen) and one SIGTERM
# with a restart in the middle. Monitors the worker's memory, handles, threads and lag.
#   bash tests/soak.sh [--minutes N] [--fault SECONDS] [--seed S] [--rate EVENTS_A_SECOND] [--report FILE] [--folder FOLDER]
# Exit 0: nothing lost, duplicated or stale, and nothing grew. Exit 1 otherwise.
set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=deploy/install.sh
. "$top/deploy/install.sh"
require_sdk
install_missing
dotnet build "$top/tests/Streaming.Chaos" -c Release --nologo -v quiet
exec "$top/.artifacts/bin/Streaming.Chaos/release/Streaming.Chaos" soak "$@"
