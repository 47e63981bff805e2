#!/usr/bin/env bash
# quickstart.sh [command] [options]: installs what is missing, builds, and runs the command of `streaming` or `streaming-lab`,
# whichever has it. Without arguments: demo.
# Everything is passed on; try `quickstart.sh --help` or `quickstart.sh demo --help`.
set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=deploy/install.sh
. "$top/deploy/install.sh"

require_sdk
install_missing

# The lab's output holds both programs.
programs="$top/.artifacts/bin/Streaming.Lab/release"
stamp="$top/.artifacts/quickstart.stamp"

# A build of unchanged sources takes seconds; looking at the times of the files takes none.
up_to_date() {
  [ -x "$programs/streaming" ] && [ -x "$programs/streaming-lab" ] && [ -e "$stamp" ] || return 1
  [ -z "$(find "$top/src" "$top/schemas" "$top"/Directory.*.props "$top/global.json" -newer "$stamp" -print -quit 2>/dev/null)" ]
}

if ! up_to_date; then
  say "streaming: building (the first time takes a minute or two)"
  mkdir -p "$top/.artifacts"
  begun=$(mktemp)
  log="$top/.artifacts/quickstart.log"
  if ! dotnet build "$top/src/Streaming.Lab/Streaming.Lab.csproj" -c Release --nologo -v minimal >"$log" 2>&1; then
    grep -E 'error|NU[0-9]+' "$log" | sort -u | head -n 20 >&2 || tail -n 20 "$log" >&2
    rm -f "$begun"
    fail "the build failed; the whole output is in $log (no network for NuGet packages?)"
  fi
  # As of when the build began: a file saved meanwhile counts as changed.
  mv "$begun" "$stamp"
fi

[ "$#" -gt 0 ] || set -- demo
case "$1" in
  -h | --help | -\?)
    "$programs/streaming" --help
    exec "$programs/streaming-lab" --help ;;
  --version) exec "$programs/streaming" --version ;;
  -*) set -- demo "$@" ;;
esac
case "$1" in
  demo | replay | backtest) exec "$programs/streaming-lab" "$@" ;;
  *) exec "$programs/streaming" "$@" ;;
esac
