#!/usr/bin/env bash
# Runs the worker against Apache Kafka: three nodes with real controllers, brokers that die, transactions, TLS, access control;
# schemas of a real registry.
# STREAMING_KAFKA names the folder of an unpacked distribution of Kafka 4, STREAMING_REGISTRY that of an Apicurio Registry 2.6
# (the archive "all" of io.apicurio:apicurio-registry-app), which are run by Java 17 or later.
# Last line: `N passed, N failed`. Exits 0 only if something ran and nothing failed.
set -uo pipefail
# shellcheck source=tests/counting.sh
. "$(dirname "${BASH_SOURCE[0]}")/counting.sh"
# shellcheck source=deploy/install.sh
. "$top/deploy/install.sh"
set +e

if ! compgen -G "${STREAMING_KAFKA:-}/libs/kafka_2.13-4.*.jar" >/dev/null; then
  say "streaming: STREAMING_KAFKA is '${STREAMING_KAFKA:-}', which is not a distribution of Apache Kafka 4 (a folder with libs/kafka_2.13-4.*.jar)."
  say "Download one from https://kafka.apache.org/downloads, unpack it, and set STREAMING_KAFKA to its folder."
  echo "0 passed, 1 failed"
  exit 1
fi

if ! compgen -G "${STREAMING_REGISTRY:-}/apicurio-registry-app-*-runner.jar" >/dev/null; then
  say "streaming: STREAMING_REGISTRY is '${STREAMING_REGISTRY:-}', which is not an Apicurio Registry (a folder with apicurio-registry-app-*-runner.jar)."
  say "Get the archive 'all' of io.apicurio:apicurio-registry-app 2.6 from Maven Central, unpack it, and set STREAMING_REGISTRY to its folder."
  echo "0 passed, 1 failed"
  exit 1
fi

require_sdk
install_missing java=openjdk-17-jre-headless
build tests/Streaming.Kafka.Tests
# However the tests end, their brokers end with them and this folder is deleted.
mkdir "$results/temporary"
run Streaming.Kafka.Tests default TMPDIR="$results/temporary"
# The result of each case; `gone` counts records that the broker itself had deleted.
printf '| %-100s | gone  | lost | doubled | stale | time    |\n' case
grep -E '^\| ' "$results/Streaming.Kafka.Tests-default" | sort
finish
