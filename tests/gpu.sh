#!/usr/bin/env bash
# gpu.sh [FOLDER]: what needs a GPU, within 15 minutes: the tests on it, compute-sanitizer, three shapes of the training step beside
# torch's operations and PyTorch (eager, compiled, with CUDA graphs), and the counters of the hot kernels.
#
# FOLDER has Streaming.Learning.Torch.Tests and Streaming.Learning.Torch.Benchmarks, built with -p:Torch=cuda; without it they are built
# here. PYTHON (default: python3) has PyTorch. A slow machine skips what does not fit in MOST_SECONDS (870). Each part prints what it measured, or why it could not; the last line counts both.
# Exit 0: all was measured and passed; 1: a part failed; 69: something could not be measured.
set -uo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
python=$(command -v "${PYTHON:-python3}" || true)
MOST_SECONDS=${MOST_SECONDS:-870}
measured=0
failed=0
missing=()

skip() {
  echo "not measured: $*"
  missing+=("$1")
}

# part NAME SECONDS COMMAND…: runs a part with a limit, within what is left of all.
part() {
  local name=$1 limit=$2 begun=$SECONDS left=$((MOST_SECONDS - SECONDS)) status
  shift 2
  if [ "$left" -lt 20 ]; then
    skip "$name" "$MOST_SECONDS seconds are over (MOST_SECONDS)"
    return
  fi
  limit=$((limit < left ? limit : left))
  echo "== $name"
  timeout --kill-after=10 "$limit" "$@"
  status=$?
  echo "== $name: exit $status, $((SECONDS - begun)) s"
  if [ "$status" -eq 0 ]; then
    measured=$((measured + 1))
  else
    failed=$((failed + 1))
  fi
}

finish() {
  echo "$measured measured, $failed failed, ${#missing[@]} not measured${missing[*]:+: $(printf "%s; " "${missing[@]}")}"
  [ "$failed" -eq 0 ] || exit 1
  [ "${#missing[@]}" -eq 0 ] || exit 69
}

if ! nvidia-smi -L 2>/dev/null | grep -q .; then
  skip card "nvidia-smi shows no GPU"
  finish
fi
nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader

if [ $# -gt 0 ]; then
  tests=$1/Streaming.Learning.Torch.Tests/Streaming.Learning.Torch.Tests
  bench=$1/Streaming.Learning.Torch.Benchmarks/Streaming.Learning.Torch.Benchmarks
else
  for project in Tests Benchmarks; do
    dotnet build "$top/tests/Streaming.Learning.Torch.$project" -c Release --nologo -v quiet -p:Torch=cuda || {
      skip build "Streaming.Learning.Torch.$project does not build with -p:Torch=cuda"
      finish
    }
  done
  tests=$top/.artifacts/bin/Streaming.Learning.Torch.Tests/release/Streaming.Learning.Torch.Tests
  bench=$top/.artifacts/bin/Streaming.Learning.Torch.Benchmarks/release/Streaming.Learning.Torch.Benchmarks
fi
for program in "$tests" "$bench"; do
  [ -x "$program" ] || {
    skip build "$program is missing"
    finish
  }
done

under=("$top/tests/newer-libc.sh")
export STREAMING_TORCH_DEVICE=cuda
part agreement 150 bash "${under[@]}" "$tests" -noColor -class '*Kernel*Tests' -class '*.Fused.*' -class '*.Items.*' -class '*.Cuda.*'

if command -v compute-sanitizer >/dev/null; then
  for tool in memcheck racecheck; do
    part "$tool" 75 bash "${under[@]}" compute-sanitizer --tool "$tool" --error-exitcode 1 \
      "$tests" -noColor -method '*.Run_Twice_*' -method '*.Backward_Twice_*' -method '*.Sum_Twice_*'
  done
else
  skip sanitizer "compute-sanitizer (CUDA toolkit) is missing"
fi

# shape NAME ARGUMENTS…: our kernels, torch's operations and PyTorch in each mode, two of them in each process.
shape() {
  local name=$1 peers=("python=$python peer=eager" "python=$python peer=compile" "python=$python peer=reduce-overhead") i
  local kernels=(On Off On)
  shift
  if [ -z "$python" ] || ! "$python" -c 'import torch' 2>/dev/null; then
    skip "$name-PyTorch" "${python:-python3} has no module torch; set PYTHON"
    peers=(python=none python=none)
  fi
  for i in "${!peers[@]}"; do
    # shellcheck disable=SC2086
    part "$name, kernels ${kernels[i]}, ${peers[i]##* }" 110 bash "${under[@]}" "$bench" cuda cpu=false "kernels=${kernels[i]}" ${peers[i]} "$@"
  done
}
shape S1 batch=512 bank=8192 items=20000 steps=60
shape S2 batch=4096 bank=65536 items=20000 tf32=true steps=20
shape S3 batch=4096 bank=8192 items=1000000 tf32=true steps=20
part "S2, activations in bfloat16" 60 bash "${under[@]}" "$bench" cuda cpu=false kernels=On activations=Bfloat16 python=none batch=4096 bank=65536 \
  items=20000 tf32=true steps=20

if command -v ncu >/dev/null; then
  part counters 60 bash "${under[@]}" ncu --kernel-name 'regex:softmax_(sums|users|candidates)|scan_backward' --launch-skip 40 --launch-count 4 \
    --section SpeedOfLight --section Occupancy --section LaunchStats \
    "$bench" cuda cpu=false python=none kernels=On batch=4096 bank=65536 tf32=true steps=3
else
  skip counters "ncu (Nsight Compute) is missing"
fi
finish
