#!/usr/bin/env bash
# Measures which lines of src the tests run, merged over all test projects, and prints a row for each project.
#   bash tests/coverage.sh              all test projects; exit 1 below 90 % in a project that has a mark, or when a test fails
#   bash tests/coverage.sh Core Models  only these test projects, without marks
# The lines that no test runs are listed in .artifacts/coverage/missed.
# Programs that tests start run from the same folder, and count when they end by themselves: a killed one writes nothing.
# Not measured: Streaming.Learning.Torch, and the kernels' lines by any but their own tests, for speed.
set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=deploy/install.sh
. "$top/deploy/install.sh"

mark=90
marked=" Core Models Learning Transport Serving Worker "
output=$top/.artifacts/coverage
all=(Core Kernels Models Formats Learning Transport Serving Worker Lab)
projects=("${@:-${all[@]}}")

require_sdk
[ $# -gt 0 ] || install_missing chromium promtool=prometheus
mkdir -p "$output"
rm -f "$output"/*.info "$output/missed"
dotnet restore "$top/tests/Coverage/Coverage.csproj" --nologo -v quiet
failed=0
for project in "${projects[@]}"; do
  name=Streaming.$project.Tests
  dotnet build "$top/tests/$name" -c Release --nologo -v quiet >"$output/build.log" 2>&1 || { grep -E 'error' "$output/build.log" | sort -u >&2; fail "tests/$name does not build"; }
  # Instrumented is a copy: a run that is killed leaves nothing slow behind.
  rm -rf "${output:?}/$name"
  cp -r "$top/.artifacts/bin/$name/release" "$output/$name"
  measured='[Streaming.Core]*,[Streaming.Models]*,[Streaming.Formats]*,[Streaming.Learning]*,[Streaming.Transport]*,[Streaming.Serving]*,[streaming*]*'
  [ "$project" != Kernels ] || measured='[Streaming.Kernels]*'
  begun=$SECONDS
  timeout 1200 dotnet msbuild "$top/tests/Coverage/Coverage.csproj" -nologo -v:quiet -t:Measure "-p:Measured=\"$measured\"" \
    "-p:TargetPath=$output/$name/$name.dll" "-p:TestExecutable=$output/$name/$name" "-p:CoverletOutput=$output/$name.info" >"$output/$name.measure.log" 2>&1 || {
      grep -h 'error' "$output/$name.measure.log" | sort -u || true
      grep -F '[FAIL]' "$output/$name.info.log" || true
      failed=1
    }
  rm -rf "${output:?}/$name"
  printf '%-28s %5ds\n' "$name" "$((SECONDS - begun))"
done

# A line counts once, covered by whichever test project runs it.
echo
cat "$output"/*.info | awk -v mark="$([ $# -gt 0 ] && echo 0 || echo "$mark")" -v marked="$marked" -v missed="$output/missed" '
  /^SF:/ { file = ""; if (match($0, /\/src\/Streaming\..*/)) file = substr($0, RSTART + 5) }
  /^DA:/ && file != "" { split(substr($0, 4), part, ","); key = file ":" part[1]; if (!(key in hits) || part[2] + 0 > hits[key]) hits[key] = part[2] + 0 }
  END {
    for (key in hits) { project = substr(key, 11, index(key, "/") - 11); lines[project]++; covered[project] += hits[key] > 0; if (hits[key] == 0) print key | ("sort -t: -k1,1 -k2,2n > " missed) }
    printf "%-12s %7s %8s %7s\n", "project", "lines", "covered", "%"
    for (project in lines) {
      share = 100 * covered[project] / lines[project]
      low = index(marked, " " project " ") && share < mark
      printf "%-12s %7d %8d %7.1f%s\n", project, lines[project], covered[project], share, low ? "  below " mark : "" | "sort"
      if (low) bad = 1
    }
    close("sort")
    exit bad
  }' || failed=1
exit "$failed"
