# Two commands do everything from a bare clone: make demo, make test.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SDKS := .venv-sdks
CPP := $(shell find cpp -name "*.cpp" -o -name "*.hpp")
KERNELS := src/qloom/engines/gpu/kernels
NATIVE := CMakeLists.txt $(CPP) $(KERNELS)/program.h
FORMATTED := $(CPP) $(wildcard $(KERNELS)/*) tests/engines/gpu/toys.cu

# Where tests and benchmarks find real data, if not in shared/ beside the project or above it.
ifdef SHARED
export QLOOM_SHARED := $(SHARED)
endif

.PHONY: help install demo test tests-side-by-side test-fast test-slow lint format types bench bench-peers bench-page docs docs-serve clean

help:
	@echo "make demo         install, train on an embedded table, say where the report is"
	@echo "make test         install, lint, type check and all tests but the slow ones; SHARED=FOLDER names real data"
	@echo "make test-fast    the ten-second tests, the first thing to run after an edit"
	@echo "make test-slow    the tests that take longer: sanitizers, portable kernels, an independent simulator, other SDKs, real tables"
	@echo "make bench        time the engine beside the machine's limits, ten minutes"
	@echo "make bench-peers  time it beside other systems, 40 minutes, after installing them (13 GB)"
	@echo "make bench-page   write docs/performance.md from the results"
	@echo "make docs         build the documentation into build/docs/html; make docs-serve shows it"
	@echo "make format       rewrite the sources in the house format"

# Installed anew when the dependencies, the native sources or the names of Python's change: these are used in place, and
# an editable installation keeps a list of them.
MODULES := $(shell find src -name "*.py" | sort | cksum)
ifneq ($(MODULES),$(shell cat $(VENV)/.installed 2>/dev/null))
.PHONY: $(VENV)/.installed
endif
$(VENV)/.installed: pyproject.toml constraints.txt scripts/install.py $(NATIVE)
	@$(PYTHON) scripts/install.py $(VENV)
	@echo "$(MODULES)" > $@

install: $(VENV)/.installed

demo: install
	@rm -rf runs/demo
	@$(BIN)/qloom train demo:breast_cancer --name demo

# Types are checked beside the tests: by itself that is minutes of one core. Tests that hold a wall-clock time run after
# the others, with nothing beside them.
test: lint
	@$(MAKE) --no-print-directory --jobs 2 types tests-side-by-side
	$(BIN)/pytest -m "alone and not slow" $$(grep -rl mark.alone tests)

# Threads of two processes on the same cores: those that wait do not spin.
tests-side-by-side: export OMP_WAIT_POLICY = PASSIVE
tests-side-by-side: install
	$(BIN)/pytest -n 2

test-fast: install
	$(BIN)/pytest tests/test_tiny.py

# What slow tests compare with or talk to.
$(VENV)/.independent: $(VENV)/.installed tests/independent.txt tests/independent-alone.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --requirement tests/independent.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --requirement tests/independent-alone.txt
	@touch $@

# Other packages for circuits, and ways to devices, beside this one.
$(SDKS)/.installed: $(VENV)/.installed tests/sdks.txt tests/sdks-alone.txt scripts/sdks.py
	@$(BIN)/python scripts/sdks.py $(VENV) $(SDKS)
	@touch $@

test-slow: export OMP_WAIT_POLICY = PASSIVE
test-slow: $(VENV)/.independent $(SDKS)/.installed
	$(BIN)/pytest -n 2 -m slow
	$(SDKS)/bin/python -m pytest -n 2 -m "slow or not slow" tests/circuits/exchange tests/engines/hardware $(wildcard tests/nn/test_imported_*.py) tests/portable/test_qiskit.py
	$(SDKS)/bin/python -m pytest tests/learning/test_guides.py -k "layers or devices"

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/typos
	$(BIN)/clang-format --dry-run --Werror $(FORMATTED)

types: install
	$(BIN)/mypy

format: install
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/clang-format -i $(FORMATTED)

bench: install
	$(BIN)/python -m benchmarks
	$(BIN)/python -m benchmarks.page

bench-peers: install
	$(BIN)/python -m benchmarks.peers.compare
	$(BIN)/python -m benchmarks.page

bench-page: install
	$(BIN)/python -m benchmarks.page

docs: install
	$(BIN)/python -m docs.site

docs-serve: install
	$(BIN)/python -m docs.site --serve

clean:
	rm -rf $(VENV) $(SDKS) build
