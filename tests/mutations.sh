#!/usr/bin/env bash
# Breaks one rule at a time in a copy of the sources, and runs the test class that must notice.
#   bash tests/mutations.sh             all of tests/Mutations; exit 1 when one survives or cannot be applied
#   bash tests/mutations.sh fence       only these
# A mutation's file says what the rule is, where it is, which class guards it, and the text to replace, which must occur once.
set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=deploy/install.sh
. "$top/deploy/install.sh"

require_sdk
install_missing
mutations=("$@")
if [ $# -eq 0 ]; then
  for file in "$top"/tests/Mutations/*.txt; do
    mutations+=("$(basename "$file" .txt)")
  done
fi

# Below the repository, and kept: the next run builds only what has changed.
copy=$top/.artifacts/mutations
mkdir -p "$copy"
(cd "$top" && tar -c --exclude=.artifacts --exclude=.git .) | tar -x -C "$copy" --skip-old-files
while IFS= read -r -d '' file; do
  if [ ! -e "$top/$file" ]; then rm -f "$copy/$file"; elif ! cmp -s "$top/$file" "$copy/$file"; then cp "$top/$file" "$copy/$file"; fi
done < <(cd "$copy" && find . -name .artifacts -prune -o -type f -print0)

# build PROJECT: the log is shown when it fails.
build() { dotnet build "$copy/tests/$1" -c Release --nologo -v quiet -clp:NoSummary -p:EnforceCodeStyleInBuild=false >"$copy/build.log" 2>&1; }
# passes PROJECT CLASS: whether at least one test ran and none failed.
passes() { timeout 300 "$copy/.artifacts/bin/$1/release/$1" -noColor -class "$2" >"$copy/test.log" 2>&1 && grep -qE 'Total: [1-9]' "$copy/test.log"; }

survived=0
declare -A green
for name in "${mutations[@]}"; do
  description=$top/tests/Mutations/$name.txt
  [ -f "$description" ] || fail "there is no mutation '$name' in tests/Mutations"
  file=$(sed -n 's/^file: //p' "$description")
  read -r project class < <(sed -n 's/^test: //p' "$description")
  project=Streaming.$project.Tests
  from=$(sed -n '/^--- from$/,/^--- to$/{//!p}' "$description")
  to=$(sed '1,/^--- to$/d' "$description")
  begun=$SECONDS
  source=$(<"$copy/$file")
  rest=${source#*"$from"}
  if [ "$rest" = "$source" ] || [ "${rest#*"$from"}" != "$rest" ]; then
    result="NOT APPLIED: its text does not occur exactly once in $file"
  else
    # That the class passes without the mutation is known once a class.
    result=
    if [ -z "${green[$project $class]:-}" ]; then
      if ! build "$project"; then
        result="NOT APPLIED: the sources do not build: $(grep -m 1 error "$copy/build.log")"
      elif ! passes "$project" "$class"; then
        result="NOT APPLIED: $class fails as it is: $(grep -m 1 -E '\[FAIL\]|Total:' "$copy/test.log")"
      fi
    fi
    if [ -z "$result" ]; then
      green[$project $class]=yes
      printf '%s\n' "${source%%"$from"*}$to$rest" >"$copy/$file"
      if ! build "$project"; then
        result="NOT APPLIED: it does not build: $(grep -m 1 error "$copy/build.log")"
      elif passes "$project" "$class"; then
        result="SURVIVED: $class passes"
      elif grep -qF '[FAIL]' "$copy/test.log"; then
        result="killed by $(grep -m 1 -F '[FAIL]' "$copy/test.log" | sed -E 's/^ *//; s/Streaming\.([A-Za-z]+\.)*Tests\.//; s/ \[FAIL\]//')"
      else
        result="NOT APPLIED: $class did not run to its end: $(tail -n 1 "$copy/test.log")"
      fi
      cp "$top/$file" "$copy/$file"
    fi
  fi
  printf '%-22s %4ds  %s\n' "$name" "$((SECONDS - begun))" "$result"
  [[ $result = killed* ]] || survived=$((survived + 1))
done
echo "$((${#mutations[@]} - survived)) of ${#mutations[@]} killed"
[ "$survived" -eq 0 ]
