#!/usr/bin/env bash
# Makes the NuGet packages of the serving library: Streaming.Serving, the three that it references, and its optional
# approximate search, with symbols.
#   bash deploy/pack.sh FOLDER [VERSION]      `dotnet nuget push FOLDER/*.nupkg --source …` brings them to a feed
set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
[ $# -ge 1 ] || { echo "usage: bash deploy/pack.sh FOLDER [VERSION]" >&2; exit 64; }
mkdir -p "$1"
folder=$(cd "$1" && pwd)
# Built apart: the version is part of the assemblies.
build=$(mktemp -d)
trap 'rm -rf "$build"' EXIT
for project in Core Kernels Models Serving Serving.Approximate; do
  dotnet pack "$top/src/Streaming.$project" -c Release --nologo -v quiet -o "$folder" --artifacts-path "$build" ${2:+-p:Version=$2}
done
ls "$folder"
