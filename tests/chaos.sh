#!/usr/bin/env bash
# Repeatedly kills the worker under load and compares the surviving state with what was produced.
# --kafka: three nodes of Apache Kafka from the distribution in STREAMING_KAFKA, killed too; --redis-cluster: three
# masters and three replicas, the masters killed too. Default: the embedded broker and one Redis, which are not killed.
# --ranks 2..4: each worker is a job of so many ranks under Open MPI; a rank is killed or frozen, or the launcher killed.
# --two-hosts: the ranks run on two hosts (tests/hosts.sh: 1 ms and 0.1 % loss each way), and the link between them is cut too.
#   bash tests/chaos.sh [--kafka] [--redis-cluster] [--ranks N..M] [--two-hosts] [--kills N] [--seed S] [--rate EVENTS_A_SECOND] [--report FILE] [--folder FOLDER]
# Exit 0: nothing lost, duplicated or stale. Exit 1 otherwise, with the differences.
set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=deploy/install.sh
. "$top/deploy/install.sh"
require_sdk
case " $* " in
  *" --ranks "*) install_missing mpirun=openmpi-bin ;;
esac
case " $* " in
  *" --kafka "*) install_missing java=openjdk-17-jre-headless ;;
  *) install_missing ;;
esac
dotnet build "$top/tests/Streaming.Chaos" -c Release --nologo -v quiet
hosts=()
case " $* " in
  *" --two-hosts "*) hosts=(bash "$top/tests/hosts.sh" --) ;;
esac
exec "${hosts[@]}" "$top/.artifacts/bin/Streaming.Chaos/release/Streaming.Chaos" "$@"
