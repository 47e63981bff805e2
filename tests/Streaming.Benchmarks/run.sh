#!/usr/bin/env bash
# Runs the benchmarks. run.sh [--quick] [--report FILE]: nested softmax and the training step, compared with libtorch.
# run.sh --kernels, --paths, --cost, --encode, --memory, --search, --filters, --fused, --approximate, --ranking, --ranks, --scale, --bookkeeping, --ingest: the other tables of RESULTS.md. Options: BenchmarkOptions.cs.
# run.sh --growth [--items 10000,100000,1000000] [--seconds N] [--rate N] [--kafka]: what a larger catalogue costs a whole worker.
# run.sh --pipeline [the options of --growth]: where the time of a batch goes while the worker is behind.
# run.sh --histories: histories published per second.
# run.sh --serving [--items N] [--seconds N] [--callers N] [--only NAME,NAME] [--set NAME=VALUE]: `streaming serve` over HTTP and gRPC, and while all is
# published again.
# run.sh --search --train FILE: searches, and the funnel's recall on a model trained on a stream of events (CSV: user,item,timestamp).
# run.sh --content [--count N] [--seeds 1,2,3]: a simulated shop with titles and pictures, encoded by real models: what does a model
# learn of neither, of titles, of pictures, of both?
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
under=()

if [[ ${1:-} == --growth || ${1:-} == --histories || ${1:-} == --pipeline || ${1:-} == --serving ]]; then
    # shellcheck source=deploy/install.sh
    . "$root/deploy/install.sh"
    install_missing
    dotnet build "$root/tests/Streaming.Chaos" -c Release -v q --nologo >&2
    mode=("${1#--}")
    [[ $1 != --pipeline ]] || mode=(growth --pipeline)
    exec "$root/.artifacts/bin/Streaming.Chaos/release/Streaming.Chaos" "${mode[@]}" "${@:2}"
fi

# The table of a report of backtest that RESULTS.md shows.
ablation() {
    printf '\nRecall@20 at width 128, with counts in brackets:\n\n'
    printf '| features | all | new items | items in their first day |\n|---|---|---|---|\n'
    awk -F ' *[|] *' '
        $4 == 128 && /FeatureGroups=/ {
            groups = $0
            sub(/.*FeatureGroups=/, "", groups)
            sub(/ *[|] *$/, "", groups)
            recall[$2, groups, $5] = $8
        }
        function cell(groups, segment) {
            if (!(("fmrlrec", groups, segment) in recall)) {
                print "the report has no row of \"" groups "\" for " segment > "/dev/stderr"
                exit 1
            }
            return recall["fmrlrec", groups, segment] " (" recall["fused", groups, segment] ")"
        }
        END {
            count = split("none;titles;pictures;both", names, ";")
            split(";text:384;image:512;text:384,image:512", features, ";")
            for (i = 1; i <= count; i++)
                printf "| %s | %s | %s | %s |\n", names[i], cell(features[i], "All"), cell(features[i], "NewItems"),
                    cell(features[i], "ItemsInFirstDay")
        }' "$1"
}

if [[ ${1:-} == --content ]]; then
    shift
    count=20000 seeds=1
    while (($# > 0)); do
        case $1 in
            --count) count=${2:?--count needs a number} ;;
            --seeds) seeds=${2:?--seeds needs numbers} ;;
            *) echo "--content takes --count N and --seeds 1,2,3, not $1" >&2; exit 2 ;;
        esac
        shift 2
    done
    folder=$(mktemp -d)
    trap 'rm -rf "$folder"' EXIT
    for project in "$here" "$root/src/Streaming.Worker" "$root/src/Streaming.Lab"; do
        dotnet build "$project" -c Release -v q --nologo >&2
    done
    programs=$root/.artifacts/bin
    mapfile -t models < <("$programs/Streaming.Benchmarks/release/Streaming.Benchmarks" --models "$folder")
    lab=$programs/Streaming.Lab/release/streaming-lab
    "$lab" simulate --output "$folder/shop" --count "$count" --pictures --plain-titles 0.3 --no-picture 0.3 >&2
    "$programs/Streaming.Worker/release/streaming" encode --items "$folder/shop/items.csv" --output "$folder/items.jsonl" \
        --text-model "${models[0]}" --text-vocabulary "${models[1]}" --image-model "${models[2]}" --image-pixels caffe >&2
    "$lab" backtest --protocol prequential --events "$folder/shop/events.csv" --items "$folder/items.jsonl" --threads 2 --seeds "$seeds" \
        --set 'STREAMING__Model__FeatureGroups=;text:384;image:512;text:384,image:512' --format markdown | tee "$folder/report.md"
    ablation "$folder/report.md"
    exit
fi

if [[ " $* " != *" --no-torch "* && ! " $* " =~ " --"(ingest|paths|cost|encode|memory|search|filters|fused|approximate|ranking|ranks|scale|bookkeeping)" " ]]; then
    under=("$root/tests/newer-libc.sh")
    # The allocator recommended by PyTorch's tuning guide. glibc's returns large blocks to the system after every use.
    jemalloc=/usr/lib/x86_64-linux-gnu/libjemalloc.so.2
    if [ ! -e "$jemalloc" ]; then
        sudo=$([ "$(id -u)" = 0 ] || echo sudo)
        $sudo apt-get update -qq
        DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends libjemalloc2
    fi
    under+=(env "LD_PRELOAD=$jemalloc" MALLOC_CONF=oversize_threshold:1,background_thread:true,metadata_thp:auto,dirty_decay_ms:-1,muzzy_decay_ms:-1)
fi

# A model for the funnel: one pass over the stream, exported at full width.
arguments=("$@")
for ((i = 0; i < ${#arguments[@]}; i++)); do
    if [[ ${arguments[i]} == --train ]]; then
        events=${arguments[i + 1]:?--train needs a file of events}
        folder=$(mktemp -d)
        trap 'rm -rf "$folder"' EXIT
        for project in Streaming.Worker Streaming.Lab; do
            dotnet build "$root/src/$project" -c Release -v q --nologo >&2
        done
        streaming=$root/.artifacts/bin/Streaming.Worker/release/streaming
        "$root/.artifacts/bin/Streaming.Lab/release/streaming-lab" backtest --protocol prequential --events "$events" --threads 2 --set Stream__BatchSize=64 --no-floors --model "$folder/model" >&2
        "$streaming" export --checkpoint "$folder/model" --width 128 --output "$folder/tower.safetensors" --items "$folder/items.safetensors" >&2
        arguments=("${arguments[@]:0:i}" --model "$folder" --events "$events" "${arguments[@]:i + 2}")
        break
    fi
done

dotnet build "$here" -c Release -v q --nologo >&2
"${under[@]}" "$root/.artifacts/bin/Streaming.Benchmarks/release/Streaming.Benchmarks" "${arguments[@]}"
