#!/usr/bin/env bash
# publish.sh FOLDER STAGE: publishes a program to FOLDER as in its image. Executes two stages of deploy/Dockerfile, `source` and
# STAGE (worker or lab): their COPY and RUN lines, on a copy without the rest of the repository, so that a file missing
# from them is detected here.
set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
mkdir -p "$1"
app=$(cd "$1" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
TORCH=none
export TORCH

# The stages as lines, without comments and with continuations joined.
lines=$(sed -e '/^ *#/d' "$top/deploy/Dockerfile" | sed -e ':a' -e '/\\$/N; s/\\\n//; ta' | awk -v stage="$2" '/^FROM/ { wanted = $NF == "source" || $NF == stage } wanted')
grep -q "^FROM source AS $2\$" <<<"$lines" || { echo "publish: deploy/Dockerfile has no stage '$2' after its stage 'source'" >&2; exit 1; }
# Nor does the copy contain what .dockerignore excludes.
while read -r word rest; do
  case "$word" in
    COPY)
      read -ra names <<<"$rest"
      target=$work/${names[-1]}
      unset 'names[-1]'
      for name in "${names[@]}"; do
        if [ -d "$top/$name" ]; then
          (cd "$top/$name" && find . \( -name bin -o -name obj -o -name .artifacts \) -prune -o -type f -print0) |
            while IFS= read -r -d '' file; do install -D -m 644 "$top/$name/$file" "$target/$file"; done
        else
          install -D -m 644 "$top/$name" "$target/$(basename "$name")"
        fi
      done ;;
    RUN) (cd "$work" && bash -ec "${rest//\/app/$app}" >"$work/log" 2>&1) || { tail -n 20 "$work/log" >&2; exit 1; } ;;
    FROM | ARG | WORKDIR | '') ;;
    *) echo "publish: deploy/Dockerfile's stages have '$word', which this script does not know" >&2; exit 1 ;;
  esac
done <<<"$lines"
