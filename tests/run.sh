#!/usr/bin/env bash
# Runs every test: installs what is missing, builds, runs each test project, and the kernels' once per CPU setting.
# Last line: `N passed, N failed`. Exit 0 only when something ran and nothing failed.
set -uo pipefail
# shellcheck source=tests/counting.sh
. "$(dirname "${BASH_SOURCE[0]}")/counting.sh"
# shellcheck source=deploy/install.sh
. "$top/deploy/install.sh"
set +e

require_sdk
# The page is looked at by a real browser.
install_missing chromium
build Streaming.sln

# TorchSharp's native library is built with GCC 13.
has_glibcxx() { grep -qs GLIBCXX_3.4.32 /usr/lib/x86_64-linux-gnu/libstdc++.so.6; }

for project in "$top"/tests/*.Tests/; do
  name=$(basename "$project")
  # Needs a distribution of Apache Kafka and Java: tests/kafka.sh runs it.
  [ "$name" != Streaming.Kafka.Tests ] || continue
  under=()
  if [ "$name" = Streaming.Learning.Torch.Tests ] && ! has_glibcxx; then
    under=("$top/tests/newer-libc.sh" "${XDG_CACHE_HOME:-$HOME/.cache}/streaming/newer-libc")
  fi
  run "$name" default
  under=()
  if [ "$name" = Streaming.Kernels.Tests ]; then
    run "$name" no-avx512 DOTNET_EnableAVX512=0
    run "$name" no-avx2 DOTNET_EnableAVX2=0
    run "$name" scalar DOTNET_EnableHWIntrinsic=0
  fi
done

finish
