#!/usr/bin/env bash
# Sourced by scripts that run test executables: builds, runs, and prints the totals as last line `N passed, N failed`.

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT
passed=0
failed=0
# Optional wrapper for test executables: a command and its arguments.
under=()

# build PROJECT: builds a project or the solution; on failure no test result is possible.
build() {
  if ! dotnet build "$top/$1" -c Release --nologo -v minimal >"$results/build" 2>&1; then
    printf 'Failures:\nthe build failed\n'
    grep -E 'error|NU[0-9]+' "$results/build" | sort -u | head -n 30
    echo "0 passed, 1 failed"
    exit 1
  fi
}

# check_format: one test, passed when the formatter (.config/dotnet-tools.json) would change nothing.
check_format() {
  local begun=$SECONDS lost=0
  (cd "$top" && dotnet tool restore && dotnet csharpier check src tests) >"$results/format" 2>&1 || lost=1
  passed=$((passed + 1 - lost))
  failed=$((failed + lost))
  printf '%-28s %-12s %5d passed %3d failed %3d skipped %5ds\n' 'Format' 'default' "$((1 - lost))" "$lost" 0 "$((SECONDS - begun))"
  if [ "$lost" -gt 0 ]; then
    { grep -E '^Error|error' "$results/format" | head -n 40
      echo "Run: dotnet csharpier format ."; } >>"$results/failures"
  fi
}

# execute NAME LABEL [VARIABLE=VALUE …]: runs one test executable and keeps its output, exit code and time.
execute() {
  local name=$1 label=$2 log="$results/$1-$2" begun=$SECONDS status
  shift 2
  env "$@" "${under[@]}" "$top/.artifacts/bin/$name/release/$name" -noColor >"$log" 2>&1
  status=$?
  echo "$status $((SECONDS - begun))" >"$log.end"
}

# tally NAME LABEL: adds the totals of an executable that has run.
tally() {
  local name=$1 label=$2 log="$results/$1-$2" status seconds totals
  read -r status seconds <"$log.end"
  # "   X.Tests  Total: 9, Errors: 0, Failed: 1, Skipped: 0, Not Run: 0, Time: 1.2s"
  totals=$(grep -E 'Total: [0-9]+, Errors: [0-9]+, Failed: [0-9]+' "$log" | tail -n 1)
  local total errors bad skipped notrun
  total=$(sed -E 's/.*Total: ([0-9]+).*/\1/' <<<"${totals:-Total: 0}")
  errors=$(sed -nE 's/.*Errors: ([0-9]+).*/\1/p' <<<"$totals")
  bad=$(sed -nE 's/.*Failed: ([0-9]+).*/\1/p' <<<"$totals")
  skipped=$(sed -nE 's/.*Skipped: ([0-9]+).*/\1/p' <<<"$totals")
  notrun=$(sed -nE 's/.*Not Run: ([0-9]+).*/\1/p' <<<"$totals")
  local lost=$((${errors:-0} + ${bad:-0}))
  # A crash, or an executable that ran nothing, is a failure even if no test reports one.
  if [ "$lost" -eq 0 ] && { [ "$status" -ne 0 ] || [ "$total" -eq 0 ]; }; then
    lost=1
  fi
  local won=$((total - ${bad:-0} - ${skipped:-0} - ${notrun:-0}))
  passed=$((passed + won))
  failed=$((failed + lost))
  printf '%-28s %-12s %5d passed %3d failed %3d skipped %5ds\n' "$name" "$label" "$won" "$lost" "${skipped:-0}" "$seconds"
  if [ "$lost" -gt 0 ]; then
    # xunit indents a failure by four or more columns; output of the tests themselves starts further left.
    { grep -F '[FAIL]' "$log"
      sed -n '/\[FAIL\]/,/^  *Finished/p' "$log" | grep -E '^ {4}' | head -n 80
      [ "${bad:-0}" -gt 0 ] || tail -n 40 "$log"; } >>"$results/failures"
  fi
}

# run NAME LABEL [VARIABLE=VALUE …]: runs one test executable and adds its totals.
run() {
  execute "$@"
  tally "$1" "$2"
}

# finish: prints the failures, last so that the tail of a log contains them, and the totals.
finish() {
  [ "$passed" -gt 0 ] || [ "$failed" -gt 0 ] || { echo "no test ran"; failed=1; }
  [ ! -f "$results/failures" ] || { echo "Failures:"; cat "$results/failures"; }
  echo "$passed passed, $failed failed"
  [ "$failed" -eq 0 ]
}
