#!/usr/bin/env bash
# Runs every test: installs missing dependencies, builds, runs each test project, and the kernel tests once per CPU setting.
# Last line: `N passed, N failed`. Exits 0 only if something ran and nothing failed.
set -uo pipefail
# shellcheck source=tests/counting.sh
. "$(dirname "${BASH_SOURCE[0]}")/counting.sh"
# shellcheck source=deploy/install.sh
. "$top/deploy/install.sh"
set +e

require_sdk
# A real browser renders the page, Prometheus' promtool evaluates the alert rules, the reader in Python is run by its tests, and
# Open MPI starts the ranks of a job. g++ builds the CUDA kernels over an emulation of a GPU.
install_missing chromium promtool=prometheus python3 mpirun=openmpi-bin g++
# NVIDIA's compiler, where it can be had; without it the tests that compile for a GPU are skipped, and this says why.
STREAMING_NVRTC=${STREAMING_NVRTC:-$(bash "$top/tests/nvrtc.sh")} && export STREAMING_NVRTC || unset STREAMING_NVRTC
build Streaming.sln
check_format

# The tests of the worker take half of the time and wait for most of it, so the others run beside them. In a job of its own,
# as without one the shell would have it ignore SIGINT, and what it starts.
set -m
execute Streaming.Worker.Tests default &
worker=$!
set +m
trap 'kill -- -"$worker" 2>/dev/null; rm -rf "$results"' EXIT

for project in "$top"/tests/*.Tests/; do
  name=$(basename "$project")
  # Needs a distribution of Apache Kafka and Java: run by tests/kafka.sh.
  [ "$name" != Streaming.Kafka.Tests ] || continue
  [ "$name" != Streaming.Worker.Tests ] || continue
  under=()
  # If TorchSharp's native library cannot load, this says what is missing, and the tests count as failed.
  [ "$name" != Streaming.Learning.Torch.Tests ] || under=("$top/tests/newer-libc.sh")
  run "$name" default
  under=()
  if [ "$name" = Streaming.Kernels.Tests ]; then
    run "$name" no-avx512 DOTNET_EnableAVX512=0
    run "$name" no-avx2 DOTNET_EnableAVX2=0
    run "$name" scalar DOTNET_EnableHWIntrinsic=0
  fi
done

# The program as in the image.
begun=$SECONDS
bash "$top/tests/published.sh" >"$results/published" 2>&1
totals=$(sed -nE 's/^([0-9]+) passed, ([0-9]+) failed$/\1 \2/p' "$results/published" | tail -n 1)
read -r won lost <<<"${totals:-0 1}"
passed=$((passed + won))
failed=$((failed + lost))
printf '%-28s %-12s %5d passed %3d failed %3d skipped %5ds\n' published.sh image "$won" "$lost" 0 "$((SECONDS - begun))"
[ "$lost" -eq 0 ] || tail -n 80 "$results/published" >>"$results/failures"

wait "$worker"
tally Streaming.Worker.Tests default
finish
