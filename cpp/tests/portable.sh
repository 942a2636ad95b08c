#!/usr/bin/env bash
# The engine's own tests on machines that QEMU emulates: an x86-64 with nothing above SSE2, and an AArch64. All kernels with
# fused multiply-adds must give the same bits; plain x86-64 has none, so its bits are compared with its own. At the end, the
# activations are tested at every float32. `make portable` runs this.
set -euo pipefail
cd "$(dirname "$0")/../.."
. cpp/tests/tools.sh
stops_without portable cmake cmake c++ g++ aarch64-linux-gnu-g++ g++-aarch64-linux-gnu \
  qemu-x86_64 qemu-user qemu-aarch64 qemu-user

build() {
  cmake -S . -B "$1" -DPENSTOCK_TESTS=ON -DCMAKE_BUILD_TYPE=Release "${@:2}" >"$1.log"
  cmake --build "$1" >>"$1.log" || { cat "$1.log"; exit 1; }
}
mkdir -p build
build build/portable
build build/portable-aarch64 -DCMAKE_SYSTEM_NAME=Linux -DCMAKE_SYSTEM_PROCESSOR=aarch64 \
  -DCMAKE_CXX_COMPILER=aarch64-linux-gnu-g++ -DCMAKE_EXE_LINKER_FLAGS=-static
here=build/portable/engine_test

# Runs a test program, which must choose these kernels; sets `bits` to the hash of all its bits.
tested() {
  local kernels=$1 said
  said=$("${@:2}") || { echo "$said"; exit 1; }
  echo "${*:2}: $said"
  [[ $said == "$kernels: "* ]] || { echo "FAILED: it should choose $kernels"; exit 1; }
  bits=${said##* }
}
same() { [ "$bits" = "$1" ] || { echo "FAILED: other bits than $2"; exit 1; }; }

unset PENSTOCK_ISA  # each machine chooses for itself
old=(qemu-x86_64 -cpu "qemu64,-sse3,-ssse3,-sse4.1,-sse4.2,-avx,-avx2,-fma")
for newer in "haddps %xmm0, %xmm0" "pabsd %xmm0, %xmm0" "ptest %xmm0, %xmm0" "pcmpgtq %xmm0, %xmm0" "vzeroupper"; do
  echo "int main() { __asm__(\"$newer\"); }" | c++ -x c++ - -o build/portable/newer
  status=0
  { "${old[@]}" build/portable/newer || status=$?; } 2>/dev/null
  # 128 + SIGILL; otherwise a pass under this emulator would prove nothing
  [ $status = 132 ] || { echo "FAILED: the emulator of an old CPU runs $newer"; exit 1; }
done
tested plain "${old[@]}" $here
plain=$bits
tested plain env PENSTOCK_ISA=plain $here
same "$plain" "the old CPU's"

tested plain qemu-aarch64 build/portable-aarch64/engine_test
fused=$bits
native=(plain)
for isa in avx2 avx512; do
  if [[ $(PENSTOCK_ISA=$isa $here | tail -n 1) != "$isa: "* ]]; then
    echo "this machine has no $isa"
    continue
  fi
  tested $isa env PENSTOCK_ISA=$isa $here
  same "$fused" AArch64
  native+=("$isa")
done

for isa in "${native[@]}"; do PENSTOCK_ISA=$isa build/portable/every_float; done
