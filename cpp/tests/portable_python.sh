#!/usr/bin/env bash
# The engine behind Python on an AArch64 that QEMU emulates: its golden bits, then the contract suite with PyTorch.
# Debian's Python for arm64 and wheels are downloaded once into build/portable-python; the packages of this machine do not
# change. `make portable-python` runs this; arguments go to pytest and replace the suite's own tests.
set -euo pipefail
cd "$(dirname "$0")/../.."
. cpp/tests/tools.sh
stops_without portable-python apt-get apt dpkg-deb dpkg cmake cmake aarch64-linux-gnu-g++ g++-aarch64-linux-gnu \
  qemu-aarch64 qemu-user

here=$PWD/build/portable-python
root=$here/root
python=$root/usr/bin/python
suite=(tests/engine tests/cells tests/contracts tests/heads tests/nn tests/runtime tests/test_functional.py
  tests/test_bundle.py tests/test_network.py tests/test_sequences.py)
# What the package, its tests and PyTorch need.
wheels=(numpy safetensors array-api-compat nanobind pytest hypothesis expecttest onnx scikit-learn narwhals pyarrow
  soundfile kaldi-native-fbank soxr filelock fsspec jinja2 networkx setuptools sympy typing-extensions)
torch=torch==2.10.0  # the last whose wheel for AArch64 needs no CUDA

# An apt that sees no installed packages, and only packages for arm64.
debian() {
  apt-get -qq -o APT::Architecture=arm64 -o APT::Architectures=arm64 -o Dir::State="$here/apt" \
    -o Dir::State::status="$here/apt/status" -o Dir::Cache="$here/apt" "$@"
}

# Debian's Python, and a command that runs it under QEMU, so that CMake and the tests see an ordinary Python.
install_python() {
  rm -rf "$root"
  mkdir -p "$here"/apt/{lists,archives}/partial "$root"
  : >"$here/apt/status"
  debian update
  debian install --yes --no-install-recommends --download-only python3-minimal libpython3-dev libstdc++6
  for package in "$here"/apt/archives/*.deb; do
    dpkg-deb --fsys-tarfile "$package" | tar -x --keep-directory-symlink -C "$root"
  done
  # An ARMv8.2, which PyTorch's wheel needs; the vectors of newer ones take QEMU longer.
  printf '#!/bin/sh\nexec qemu-aarch64 -cpu neoverse-n1 -L "%s" -0 "$0" "%s" "$@"\n' "$root" "$python"3 >"$python"
  chmod +x "$python"
}

install_wheels() {
  local version pip
  version=$("$python" -c 'import sys; print("{}.{}".format(*sys.version_info))')
  pip=(.venv/bin/pip install --quiet --disable-pip-version-check --no-compile --upgrade --target "$site"
    --only-binary :all: --python-version "$version" --platform manylinux_2_28_aarch64 --platform manylinux_2_17_aarch64)
  grep -v ^torch== constraints.txt >"$here/constraints.txt"
  rm -rf "$site"
  "${pip[@]}" --constraint "$here/constraints.txt" "${wheels[@]}"
  "${pip[@]}" --constraint "$here/constraints.txt" --no-deps "$torch"
}

# once NAME STAMP COMMAND: runs COMMAND, and not again until STAMP changes
once() {
  [ "$(cat "$here/$1.done" 2>/dev/null)" = "$2" ] && return
  echo "$1: installing"
  "$3"
  echo "$2" >"$here/$1.done"
}

once Python "$root" install_python
site=$("$python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
once wheels "$(cat "$here/Python.done" constraints.txt) ${wheels[*]} $torch" install_wheels

include=$("$python" -c 'import sysconfig; print(sysconfig.get_path("include"))')
log=$here/build.log
built() {
  cmake -S . -B "$here/build" -DCMAKE_BUILD_TYPE=Release -DCMAKE_SYSTEM_NAME=Linux -DCMAKE_SYSTEM_PROCESSOR=aarch64 \
    -DCMAKE_CXX_COMPILER=aarch64-linux-gnu-g++ -DCMAKE_CXX_FLAGS="-idirafter $root/usr/include" \
    -DPython_EXECUTABLE="$python" -DPython_INCLUDE_DIR="$include" && cmake --build "$here/build"
}
built >"$log" 2>&1 || { cat "$log"; exit 1; }
rm -rf "$site/penstock"
cp -r src/penstock "$site"
cmake --install "$here/build" --prefix "$site" >>"$log"

unset PENSTOCK_ISA
[ $# -gt 0 ] || set -- "${suite[@]}"
# One thread for OpenBLAS and PyTorch, whose threads spin. The deselected test starts threads in a forked child, where QEMU
# itself fails.
OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 "$python" -m pytest -p no:cacheprovider "$@" \
  --deselect tests/engine/test_layer.py::test_a_forked_child_computes
