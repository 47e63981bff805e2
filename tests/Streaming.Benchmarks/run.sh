#!/usr/bin/env bash
# Runs the benchmarks. run.sh [--quick] [--report FILE]: nested softmax and the training step beside libtorch.
# run.sh --kernels, --paths, --cost, --encode, --memory, --ingest: the other tables of RESULTS.md. Options: BenchmarkOptions.cs.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
under=()

if [[ " $* " != *" --no-torch "* && ! " $* " =~ " --"(ingest|paths|cost|encode|memory)" " ]]; then
    under=("$root/tests/newer-libc.sh")
    # The allocator of PyTorch's tuning guide. glibc's gives large blocks back to the system after every use.
    jemalloc=/usr/lib/x86_64-linux-gnu/libjemalloc.so.2
    if [ ! -e "$jemalloc" ]; then
        sudo=$([ "$(id -u)" = 0 ] || echo sudo)
        $sudo apt-get update -qq
        DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends libjemalloc2
    fi
    under+=(env "LD_PRELOAD=$jemalloc" MALLOC_CONF=oversize_threshold:1,background_thread:true,metadata_thp:auto,dirty_decay_ms:-1,muzzy_decay_ms:-1)
fi

dotnet build "$here" -c Release -v q --nologo >&2
exec "${under[@]}" "$root/.artifacts/bin/Streaming.Benchmarks/release/Streaming.Benchmarks" "$@"
