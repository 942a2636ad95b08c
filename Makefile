# Everything is installed in a virtual environment, .venv. Each target works on its own and can be repeated.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SOURCES := $(wildcard cpp/include/penstock/*.hpp cpp/src/* bindings/*) CMakeLists.txt pyproject.toml constraints.txt

# The tests start Python hundreds of times: each file is compiled once, even where the environment forbids to keep it.
export PYTHONDONTWRITEBYTECODE :=
# Three workers for two cores: tests of servers and of the page wait a quarter of their time. PyTorch and OpenBLAS have one
# thread, since theirs would wait for each other (a linear baseline takes 4 times as long); the engine keeps its own.
WORKERS ?= 3
PYTEST = OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal

.PHONY: help demo test test-slow test-all lint check bench-core bench-kernel docs soak fuzz sanitize sanitize-python portable portable-python clean FORCE

help:
	@echo "make demo        train on embedded data, print where the report is"
	@echo "make test        set up and run the tests, without the slow ones"
	@echo "make test-slow   run the slow tests"
	@echo "make test-all    run both, sooner than one after the other"
	@echo "make check       style, types, import rules, then all tests"
	@echo "make docs        the guides and the reference as a website, in build/docs"
	@echo "make bench-core  the engine beside PyTorch on 48 points"
	@echo "make bench-kernel  the engine's product, inference and training as shares of the multiply-adds, without Python"
	@echo "make soak        run a server with faults for ten minutes: nothing is lost or stuck, memory does not grow"
	@echo "make fuzz        give damaged files to every reader for 30 seconds"
	@echo "make sanitize    the engine's own tests under AddressSanitizer, UndefinedBehaviorSanitizer, ThreadSanitizer"
	@echo "make sanitize-python  hostile calls of the compiled module and of penstock.nn, under AddressSanitizer"
	@echo "make portable    the engine's own tests on an old x86-64 and on AArch64, by QEMU; tanh and sigmoid of every float"
	@echo "make portable-python  the golden bits and the contract suite, with PyTorch, on AArch64, by QEMU; takes 1.3 GB"

demo: $(VENV)/.installed-all
	$(BIN)/penstock demo

test: $(VENV)/.installed-dev
	$(PYTEST) -m "not slow"

test-slow: $(VENV)/.installed-dev
	$(PYTEST) -m slow

# In one run, which starts once and shares what tests of both kinds fit and serve.
test-all: $(VENV)/.installed-dev
	$(PYTEST)

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

check: lint test-all

docs: $(VENV)/.installed-dev
	$(BIN)/sphinx-build -q -W --keep-going -b html docs build/docs
	@echo build/docs/index.html

bench-core: $(VENV)/.installed-dev
	$(BIN)/penstock bench --grid core --peers torch

# PENSTOCK_ISA=avx2 chooses the kernels, TABLE=product, infer or train one table. Needs CMake, like the next one:
# apt-get install cmake, or pip install cmake.
bench-kernel:
	cmake -S . -B build/kernel -DPENSTOCK_TESTS=ON -DCMAKE_BUILD_TYPE=Release
	cmake --build build/kernel --target kernel_bench
	build/kernel/kernel_bench $(TABLE)

sanitize: sanitize-python
	for kind in address,undefined thread; do \
	  cmake -S . -B build/sanitize-$$kind -DPENSTOCK_SANITIZE=$$kind -DCMAKE_BUILD_TYPE=Release && \
	  cmake --build build/sanitize-$$kind --target engine_test thread_speed_test && build/sanitize-$$kind/thread_speed_test || exit 1; \
	  for isa in plain avx2 avx512; do PENSTOCK_ISA=$$isa build/sanitize-$$kind/engine_test || exit 1; done; \
	done

# Needs CMake too, and the compiler's libasan. It must be loaded before Python's first allocation, and libstdc++ with it,
# whose exceptions it intercepts. Leaks are not checked: the interpreter and PyTorch never free some of their memory.
sanitize-python: $(VENV)/.installed-dev
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --upgrade --target build/nanobind nanobind
	PYTHONPATH=build/nanobind cmake -S . -B build/sanitize-python -DPENSTOCK_SANITIZE=address -DPENSTOCK_EXTENSION=ON \
	  -DCMAKE_BUILD_TYPE=Release -DPython_EXECUTABLE=$(CURDIR)/$(BIN)/python
	PYTHONPATH=build/nanobind cmake --build build/sanitize-python --target _native
	LD_PRELOAD="$$($(CXX) -print-file-name=libasan.so) $$($(CXX) -print-file-name=libstdc++.so)" ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1 \
	  $(BIN)/python tests/contracts/hostile.py --examples 300 --native build/sanitize-python/_native*.so

# Both name the missing Debian packages.
portable:
	cpp/tests/portable.sh

portable-python: $(VENV)/bin/python
	cpp/tests/portable_python.sh

# The server settles in the first third, in which it is killed, suspended and robbed of its folder.
SOAK_SECONDS ?= 600
SOAK_GROWTH ?= 4
soak: $(VENV)/.installed-dev
	$(BIN)/python benchmarks/serving/soak.py --out build/soak --faults --seconds $(SOAK_SECONDS) \
	  --settled $$(( $(SOAK_SECONDS) / 3 )) --every 0.5 --growth $(SOAK_GROWTH)

# FUZZ_SECONDS=3600 for an hour. With Atheris (pip install atheris) coverage leads: FUZZ="--atheris --only csv".
FUZZ_SECONDS ?= 30
fuzz: $(VENV)/.installed-dev
	$(BIN)/python tests/hostile/fuzz.py --seconds $(FUZZ_SECONDS) $(FUZZ)

clean:
	rm -rf $(VENV) build dist

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Penstock needs Python 3.11 or later")'
	$(PYTHON) -m venv $(VENV)

# An editable install maps the package's files to their paths, so it must be repeated when a file is added or removed, but
# not when one changes. The list is rewritten only when it differs, so that targets that depend on it stay up to date.
build/package-files: FORCE
	@mkdir -p build
	@now=$@.$$$$; find src/penstock -type f -not -path '*/__pycache__/*' -not -name '.*' | LC_ALL=C sort > $$now; \
	  if cmp -s $$now $@; then rm $$now; else mv $$now $@; fi
FORCE:

# The engine is compiled while pip fetches and unpacks packages, which takes one core.
PIP_INSTALL = $(BIN)/pip install --quiet --disable-pip-version-check $(PIP_OPTIONS) --constraint constraints.txt
$(VENV)/.installed-%: $(VENV)/bin/python $(SOURCES) build/package-files
	$(BIN)/python .ci/requirements.py $* >build/requirements-$*.txt
	$(PIP_INSTALL) --no-deps --editable . & engine=$$!; \
	  $(PIP_INSTALL) --requirement build/requirements-$*.txt; packages=$$?; wait $$engine && exit $$packages
	touch $@
