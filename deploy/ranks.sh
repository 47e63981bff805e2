#!/usr/bin/env bash
# Trains one model on several ranks: starts that many workers under Open MPI 4.1, which it installs if missing.
#   bash deploy/ranks.sh -n RANKS [--hostfile FILE] [--] [PROGRAM [ARGUMENT …]]
# PROGRAM: what each rank runs; default `streaming run`, from the PATH. Settings are those of one worker, as environment variables;
# those of STREAMING__* and OTEL_* are passed to other hosts. All ranks need the same STREAMING__Checkpoint__Folder, on a disk that
# all hosts see. Ranks of one host listen on consecutive ports from STREAMING__Http__Port on.
# SIGTERM or SIGINT: all ranks drain, publish and write a checkpoint. Exits with the code of the first rank that failed, else 0.
set -euo pipefail
# shellcheck source=deploy/install.sh
. "$(dirname "${BASH_SOURCE[0]}")/install.sh"

usage() {
  sed -n '2,8s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
  exit 2
}

ranks=
hosts=()
while [ $# -gt 0 ]; do
  case $1 in
    -n) ranks=${2:-}; shift 2 || usage ;;
    --hostfile) [ -r "${2:-}" ] || fail "--hostfile is '${2:-}'; allowed: a file with a line per host, such as: trainer-1 slots=4"
      hosts=(--hostfile "$2"); shift 2 ;;
    -h | --help) usage ;;
    --) shift; break ;;
    -*) fail "unknown option $1; there are -n, --hostfile and --help" ;;
    *) break ;;
  esac
done
[[ $ranks =~ ^[1-9][0-9]{0,3}$ ]] || fail "-n is '$ranks'; allowed: a number of ranks, 1 to 9999"
[ $# -gt 0 ] || set -- streaming run
command -v "$1" >/dev/null 2>&1 || fail "the program '$1' is not on the PATH; name the worker's executable, such as: -- /app/streaming run"
install_these mpirun=openmpi-bin

variables=()
while IFS= read -r name; do
  variables+=(-x "$name")
done < <(compgen -e | grep -E '^(STREAMING_|OTEL_)' || true)
# Containers run as root, and their terminal would get control sequences of .NET.
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 TERM=dumb

# Bound to a core each, the ranks' threads would share that core. Copying from process to process needs a right that containers lack.
# A waiting rank yields its core to those that still compute.
set -m
mpirun -n "$ranks" "${hosts[@]}" "${variables[@]}" --oversubscribe --bind-to none \
  --mca btl_vader_single_copy_mechanism none --mca mpi_yield_when_idle 1 --mca odls_base_sigkill_timeout 5 "$@" &
job=$!
set +m

# mpirun passes SIGUSR1 to every rank and waits for them. On a SIGTERM it would kill them.
trap 'kill -USR1 "$job" 2>/dev/null || true' TERM INT
code=0
while :; do
  wait "$job" && code=0 || code=$?
  kill -0 "$job" 2>/dev/null || break
done
exit "$code"
