# Two commands do everything from a bare clone: make demo, make test.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
NATIVE := CMakeLists.txt $(wildcard cpp/*)

.PHONY: help install demo test test-fast test-slow lint format types clean

help:
	@echo "make demo       install, train on an embedded table, say where the report is"
	@echo "make test       install, lint, type check and all tests but the slow ones"
	@echo "make test-fast  the ten-second tests, the first thing to run after an edit"
	@echo "make test-slow  the tests that take longer"
	@echo "make format     rewrite the sources in the house format"

# Installed anew when the dependencies or the native sources change. The Python sources are used in place.
$(VENV)/.installed: pyproject.toml constraints.txt scripts/install.py $(NATIVE)
	@$(PYTHON) scripts/install.py $(VENV)
	@touch $@

install: $(VENV)/.installed

demo: install
	@rm -rf runs/demo
	@$(BIN)/qloom train demo:breast_cancer --name demo

test: lint types
	$(BIN)/pytest -n 2

test-fast: install
	$(BIN)/pytest tests/test_tiny.py

test-slow: install
	$(BIN)/pytest -m slow

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/clang-format --dry-run --Werror cpp/*.cpp cpp/*.hpp

types: install
	$(BIN)/mypy

format: install
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/clang-format -i cpp/*.cpp cpp/*.hpp

clean:
	rm -rf $(VENV) build
