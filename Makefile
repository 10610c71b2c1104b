# The house keys. `make help` lists them. Only make and a Python >= 3.11 are needed; all else is put into .venv.

PYTHON ?= python3
VENV   := .venv
STAMP  := $(VENV)/.stamp
DOCS   := $(VENV)/.stamp-docs
GATES  := .venv-check
ifeq ($(OS),Windows_NT)
INNER  := Scripts
else
INNER  := bin
endif
BIN    := $(VENV)/$(INNER)
PIP    := $(BIN)/python -m pip --disable-pip-version-check --quiet
WORKERS ?= 2

.DEFAULT_GOAL := help
.PHONY: help setup compiled demo test check bench reliability soak storm hunt docs picture pins clean strace

help:  ## what can be done here
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' Makefile

setup: $(STAMP)  ## make .venv and install everything for use and development

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "Hydrophone needs Python 3.11 or newer; '$(PYTHON)' is $$($(PYTHON) --version 2>/dev/null || echo missing)." >&2; \
	  echo "Name another one: make PYTHON=python3.12 ..." >&2; exit 1; }
	@test -x $(BIN)/python || { echo "making $(VENV)"; $(PYTHON) -m venv $(VENV); }
	@echo "installing what constraints.txt names"
	@$(PIP) install --constraint constraints.txt --editable '.[dev]'
	@touch $@

$(DOCS): $(STAMP)
	@$(PIP) install --constraint constraints.txt --editable '.[docs]'
	@touch $@

# bandit and semgrep need other versions of what we use ourselves, so they live apart.
$(GATES)/.stamp: constraints-check.txt
	@test -x $(GATES)/$(INNER)/python || { echo "making $(GATES)"; $(PYTHON) -m venv $(GATES); }
	@$(GATES)/$(INNER)/python -m pip --disable-pip-version-check --quiet install --constraint constraints-check.txt bandit semgrep
	@touch $@

# Compiled once here: where Python may not write its caches, every start would compile everything again.
compiled: $(STAMP)
	@$(BIN)/python -m compileall -q src

demo: compiled  ## set up, then record two Spaces in the sandbox, through faults and a kill
	@$(BIN)/hydrophone demo

# Some tests look at the recorder through it. Where it cannot be had, they skip and say so.
strace:
	@command -v strace >/dev/null || [ "$$(id -u)" != 0 ] || ! command -v apt-get >/dev/null || \
	  { timeout 120 apt-get update -qq && timeout 120 apt-get install -qq -y strace; } >/dev/null 2>&1 || true

test: compiled strace  ## set up, then run every test
	@$(BIN)/python -m pytest -q -n $(WORKERS) --dist loadfile --durations 12

# semgrep reads our own rules only; it asks nobody for more and tells nobody what it found.
SEMGREP := PATH="$(CURDIR)/$(GATES)/$(INNER):$$PATH" SEMGREP_SEND_METRICS=off semgrep
SEMGREP_FLAGS := --config rules --metrics off --disable-version-check --quiet

check: $(STAMP) $(DOCS) $(GATES)/.stamp  ## lint, format, types, import layers, security, no foreign names, pages up to date
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/mypy
	@$(GATES)/$(INNER)/bandit --quiet --recursive --configfile pyproject.toml src
	@$(SEMGREP) scan --test $(SEMGREP_FLAGS) rules >/dev/null 2>&1 || $(SEMGREP) scan --test $(SEMGREP_FLAGS) rules
	@$(SEMGREP) scan $(SEMGREP_FLAGS) --strict --error --project-root . src docs bench
	@$(BIN)/python -m pytest -q -p no:cacheprovider tests/house
	@$(BIN)/python docs/generate.py --check
	@$(BIN)/zensical build --strict --clean >/dev/null
	@echo "all checks passed"

bench: compiled  ## measure, side by side with peers where they are installed
	@$(BIN)/python bench/run.py

reliability: compiled  ## run the fault catalogue, the storms and the kills, and write their figures into docs/reliability.md
	@$(BIN)/python docs/reliability.py

soak: compiled  ## record 50 live Spaces at ten times the clock for half an hour, and watch what the process holds
	@$(BIN)/python -P bench/soak.py

storm: compiled  ## record one storm with Hydrophone, ffmpeg and streamlink, and put the table into the README
	@$(BIN)/python docs/storm.py

# The fuzzer is there for Linux and the usual Pythons; the random tests run everywhere.
hunt: compiled strace  ## the long search for failures: fuzzers (HUNT_SECONDS each), more random input, more kills
	@$(PIP) install --constraint constraints.txt --editable '.[hunt]'
	@if $(BIN)/python -c 'import atheris' 2>/dev/null; then $(BIN)/python tests/fuzz/hunting.py; \
	  else echo "no fuzzing: atheris is not to be had for this system"; fi
	@HYDROPHONE_HUNT=1 $(BIN)/python -m pytest -q -n $(WORKERS) --timeout 3600

docs: $(DOCS)  ## build the pages into site/
	@$(BIN)/python docs/generate.py
	@$(BIN)/zensical build --strict --clean
	@echo "open site/index.html"

picture: $(STAMP)  ## draw the README's picture from a real run
	@$(BIN)/python docs/picture.py

pins: ## write constraints.txt anew from a fresh environment
	@rm -rf .venv-pins && $(PYTHON) -m venv .venv-pins
	@.venv-pins/bin/python -m pip --disable-pip-version-check -q install '.[dev,docs,browser,keyring,whisper,hunt]'
	@{ sed -n '/^#/p' constraints.txt; .venv-pins/bin/python -m pip freeze --exclude hydrophone; } > .venv-pins/new.txt
	@mv .venv-pins/new.txt constraints.txt && rm -rf .venv-pins
	@$(PYTHON) -m venv .venv-pins && .venv-pins/bin/python -m pip --disable-pip-version-check -q install bandit semgrep
	@{ sed -n '/^#/p' constraints-check.txt; .venv-pins/bin/python -m pip freeze; } > .venv-pins/new.txt
	@mv .venv-pins/new.txt constraints-check.txt && rm -rf .venv-pins

clean:  ## remove what was built; archives and recordings are never touched
	@rm -rf $(VENV) $(GATES) site build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .hunt
	@find src tests -name __pycache__ -type d -prune -exec rm -rf {} +
