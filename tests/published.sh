#!/usr/bin/env bash
# published.sh: publishes both programs as in their images (publish.sh) and runs every command from there: without
# repository or SDK, in an unrelated working directory, as the image's user if run as root.
# Then checks a partial installation. Part of tests/run.sh. Last line: `N passed, N failed`.
set -uo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"

app=$work/app
lab=$work/lab
{ "$top/tests/publish.sh" "$app" worker && "$top/tests/publish.sh" "$lab" lab; } || { echo "a build stage of deploy/Dockerfile failed"; echo "0 passed, 1 failed"; exit 1; }

# Only the runtime, as in the image; the only program is Redis, which the demo starts.
sdk=$(dirname "$(readlink -f "$(command -v dotnet)")")
mkdir -p "$work/dotnet" "$work/bin" "$work/data"
cp -r "$sdk/host" "$sdk/shared" "$work/dotnet/"
ln -s "$(command -v redis-server)" "$work/bin/redis-server"
printf 'user,item,timestamp\n' >"$work/events.csv"
for i in $(seq 0 599); do echo "u$((i % 40)),i$((i % 40 / 4 * 3 + i / 40 % 3)),$((1700000000 + i))"; done >>"$work/events.csv"
as=()
if [ "$(id -u)" -eq 0 ]; then
  as=(setpriv --reuid 1654 --regid 1654 --clear-groups)
  chown 1654 "$work/data"
fi

# (here [NAME=VALUE …] CMD…): replaces this shell by CMD, with a clean environment, in the root directory.
here() { cd / && exec "${as[@]}" env -i "PATH=$work/bin" "DOTNET_ROOT=$work/dotnet" HOME=/nonexistent TMPDIR="$work/data" STREAMING__Http__Port=0 "$@"; }

passed=0
failed=0
# check NAME CODE PATTERN [NAME=VALUE …] CMD…: checks the exit code, and that the output matches.
check() {
  local name=$1 code=$2 pattern=$3 status
  shift 3
  (here "$@") >"$work/output" 2>&1
  status=$?
  if [ $status -eq "$code" ] && grep -qE "$pattern" "$work/output"; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    echo "FAILED: $name: exit code $status, expected $code and output that matches '$pattern':"
    tail -n 15 "$work/output"
  fi
}

# also PATTERN: checks that the last output matches this too.
also() {
  if grep -qE "$1" "$work/output"; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    echo "FAILED: no output that matches '$1':"
    head -n 15 "$work/output"
  fi
}

check help 0 '^ +run +' "$app/streaming" --help
check 'help of the lab' 0 '^ +demo +' "$lab/streaming-lab" --help
for program in "$app/streaming" "$lab/streaming-lab"; do
  check "$program --version" 0 '^[0-9]+\.[0-9]+\.[0-9]+' "$program" --version
  for command in $( (here "$program" --help) | sed -n '/^Commands:/,$p' | sed -nE 's/^ +([a-z]+) .*/\1/p'); do
    check "$command --help" 0 "${program##*/} $command" "$program" "$command" --help
  done
done
# Production contains no simulator and no broker.
find "$app" -iname 'streaming?lab*' -o -iname '*spectre*' >"$work/output"
echo "$(wc -l <"$work/output") files of the lab" >>"$work/output"
also '^0 files of the lab$'
check 'a command of the lab, in production' 2 'demo' "$app/streaming" demo
check config 0 '^STREAMING__Kafka__BootstrapServers=localhost:9092$' "$app/streaming" config
# Descriptions come from the XML documentation files.
check 'config --markdown' 0 '^\| `STREAMING__Kafka__BootstrapServers` .*\| [A-Z][a-z]+ ' "$app/streaming" config --markdown
check 'config with a wrong setting' 78 'STREAMING__Kafka__Nonsense' STREAMING__Kafka__Nonsense=1 "$app/streaming" config
check demo 0 'events +produced 500 = trained' "$lab/streaming-lab" demo --no-serve --count 500
also "librdkafka [0-9.]+ from $lab/[a-z0-9-]*librdkafka\.so"
check 'backtest on a file' 0 'width' "$lab/streaming-lab" backtest --protocol prequential --events "$work/events.csv" --widths 4,8 --model "$work/data/model"
check 'inspect of its model' 0 'Model\.Widths +4,8' "$app/streaming" inspect "$work/data/model"
check 'export of its model' 0 '^' "$app/streaming" export --checkpoint "$work/data/model" --width 4 --output "$work/data/cut.safetensors"
# The native libraries of the encoders are there: one says that this is no model, the other draws.
printf 'item,image\na,a.png\n' >"$work/items.csv"
check 'encode without a model' 65 'not a model that ONNX Runtime [0-9.]+ can run' "$app/streaming" encode --items "$work/items.csv" --output "$work/data/encoded" --image-model "$work/items.csv"
check 'simulate with pictures' 0 'shop/items.csv: 100 items' "$lab/streaming-lab" simulate --output "$work/data/shop" --count 10 --item-count 100 --pictures
check 'inspect of nothing' 66 "$work/data/nothing" "$app/streaming" inspect "$work/data/nothing"
check 'health without a worker' 69 'no answer from the worker at http://127.0.0.1:1/' STREAMING__Http__Port=1 "$app/streaming" health
# Missing servers are awaited, and the log says so; SIGTERM ends the wait.
(here STREAMING__Redis__Configuration=127.0.0.1:1 STREAMING__Kafka__BootstrapServers=127.0.0.1:1 STREAMING__Checkpoint__Folder="$work/data/checkpoints" "$app/streaming" run) >"$work/output" 2>&1 &
worker=$!
for _ in $(seq 180); do
  grep -q 'Redis' "$work/output" && break
  sleep 1
done
kill -TERM "$worker"
wait "$worker"
status=$?
also 'Redis'
echo "exit code $status" >>"$work/output"
also '^exit code 0$'

# half NAME PATTERN: the contents of $work/half must be refused in one line, before anything starts.
half() {
  for command in "streaming run" "streaming-lab replay --count 1" "streaming-lab demo --no-serve --count 1"; do
    # shellcheck disable=SC2086
    check "$command, $1" 69 "^streaming: librdkafka.*$2.*librdkafka\.redist" STREAMING__Redis__Configuration=127.0.0.1:1 STREAMING__Kafka__BootstrapServers=127.0.0.1:1 "$work/half/"$command
    [ "$(wc -l <"$work/output")" -eq 1 ] || also "one line (there are more)"
  done
}
# The lab's folder has both programs.
cp -r "$lab" "$work/half"
rm -f "$work/half"/*librdkafka.so
half 'librdkafka missing' "$work/half/centos8-librdkafka\.so: no such file"
head -c 6000000 "$app/centos8-librdkafka.so" >"$work/half/centos8-librdkafka.so"
half 'librdkafka truncated' "$work/half/centos8-librdkafka\.so: truncated: 6000000 of [0-9]+ bytes"

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
