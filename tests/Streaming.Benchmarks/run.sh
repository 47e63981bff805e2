#!/usr/bin/env bash
# Runs the benchmarks. run.sh [--quick] [--report FILE]: nested softmax and the training step beside PyTorch.
# run.sh --kernels, --paths, --cost, --encode, --memory, --ingest: the other tables of RESULTS.md. Options: BenchmarkOptions.cs.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
python=/usr/bin/python3

# Debian's default OpenBLAS spins its own threads against those of PyTorch's OpenMP, which makes PyTorch two to three
# times slower on two cores: the peer deserves the build that shares them, and the allocator of its tuning guide.
if [[ " $* " != *" --no-torch "* && ! " $* " =~ " --"(ingest|paths|cost|encode|memory)" " ]]; then
    if ! "$python" -c 'import torch' 2>/dev/null || ! dpkg -s libopenblas0-openmp libjemalloc2 >/dev/null 2>&1; then
        sudo=$([ "$(id -u)" = 0 ] || echo sudo)
        $sudo apt-get update -qq
        DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends python3-torch libopenblas0-openmp libjemalloc2
    fi
fi

dotnet build "$here" -c Release -v q --nologo >&2
exec "$root/.artifacts/bin/Streaming.Benchmarks/release/Streaming.Benchmarks" "$@"
