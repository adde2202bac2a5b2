# Everything a contributor does with a checkout. `make` alone says what there is.
# Uses uv where it is on the PATH and venv with pip elsewhere; both install the same hash-pinned lock.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

VENV := .venv
BIN := $(VENV)/bin
PY := $(BIN)/python
UV := $(shell command -v uv 2>/dev/null)
export UV_PYTHON_DOWNLOADS := never
export UV_NO_PROGRESS := 1
# Start-up is two to three times slower without compiled byte code. What is imported is compiled then, once; to compile
# all that was installed takes as long as to install it.
unexport PYTHONDONTWRITEBYTECODE

# The first interpreter that is new enough; `make PYTHON=/path/to/python3.12 …` chooses another.
NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for name in python3 python3.14 python3.13 python3.12 python3.11; do \
	if "$$name" -c '$(NEW_ENOUGH)' 2>/dev/null; then command -v "$$name"; break; fi; done)

# Each collects every test anew, so that a third would cost two processors more than it would fill.
WORKERS ?= 2
# Whoever is done takes from who is not: a test that takes long and comes late keeps no core idle.
PYTEST := $(PY) -m pytest -n $(WORKERS) --dist worksteal -m
FLOORS_TESTED_WHOLLY := workflow/domain/*,workflow/ledger/*,workflow/services/*,workflow/storage/*

.PHONY: help demo test slow check coverage bench race kill backups tamper simulate lint format format-check types imports lock docs clean

help: ## Say what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(VENV)/.runtime ## Show a case from restriction to release
	@$(BIN)/holdfast demo

test: $(VENV)/.dev ## Run the tests, except the slow and the long ones
	$(PYTEST) "not slow and not long"

slow: $(VENV)/.dev ## Run the slow tests: large files, hostile floods, kills, tampering, the bench itself
	$(PYTEST) "slow and not long"

check: format-check lint types imports coverage ## Run every gate and all tests but the long ones, as CI does

coverage: $(VENV)/.dev ## Run the tests and hold coverage to its floors
	$(PY) -m coverage erase
	$(PYTEST) "not long" --cov --cov-branch --cov-report=
	$(PY) -m coverage report --include='$(FLOORS_TESTED_WHOLLY)' --fail-under=100
	$(PY) -m coverage report --fail-under=95

bench: $(VENV)/.dev ## Measure against hand-written floors
	$(PY) -m tests.bench

race: $(VENV)/.dev ## Let clients race for the same cases (HOLDFAST_ROUNDS=…)
	$(PY) -m pytest -m long tests/race

kill: $(VENV)/.dev ## Kill writers half-way and look at what is left (HOLDFAST_ROUNDS=…)
	$(PY) -m pytest -m long tests/kill

backups: $(VENV)/.dev ## Take backups while processes write, and verify each (HOLDFAST_ROUNDS=…)
	$(PY) -m pytest -m long tests/backups

tamper: $(VENV)/.dev ## Tamper with ledgers and see that verification finds it (HOLDFAST_ROUNDS=…)
	$(PY) -m pytest -m long tests/tamper

simulate: $(VENV)/.dev ## Live simulated days of a tenant with every fault (HOLDFAST_DAYS=…, HOLDFAST_SEED=…)
	$(PY) -m pytest -m long tests/simulate

lint: $(VENV)/.dev ## Lint
	$(BIN)/ruff check .

format: $(VENV)/.dev ## Format the code
	$(BIN)/ruff format .

format-check: $(VENV)/.dev ## Say what is not formatted
	$(BIN)/ruff format --check .

types: $(VENV)/.dev ## Check types
	$(BIN)/mypy

imports: $(VENV)/.dev ## Check that floors and library homes are respected
	@$(BIN)/lint-imports

docs: $(VENV)/.dev ## Write the generated reference pages again
	$(PY) -m tests.docs_build

# No index address and no path of this machine may end up in a lock.
COMPILE := uv pip compile --quiet --universal --generate-hashes --no-strip-extras --no-header --no-emit-index-url \
	--no-emit-find-links --python-version 3.11 pyproject.toml

lock: ## Resolve the dependencies anew (needs uv; UPGRADE=--upgrade for newer releases)
	@command -v uv >/dev/null || { echo 'make lock needs uv (pip install uv)' >&2; exit 1; }
	$(COMPILE) $(UPGRADE) --extra dev --output-file requirements-dev.txt
	$(COMPILE) --extra build --constraint requirements-dev.txt --output-file requirements.txt

clean: ## Remove the environment and everything the tools left behind
	rm -rf $(VENV) build dist htmlcov .mypy_cache .ruff_cache .pytest_cache .hypothesis \
		.import_linter_cache .coverage .coverage.*
	find workflow tests -name __pycache__ -type d -prune -exec rm -rf {} +

# A stamp inside the environment is newer than the lock it was installed from.
$(PY):
	@test -n "$(PYTHON)" && "$(PYTHON)" -c '$(NEW_ENOUGH)' || { \
		echo 'Holdfast needs Python 3.11 or newer: install one or name it, make PYTHON=/path/to/python3.12' >&2; \
		exit 1; }
ifneq ($(UV),)
	$(UV) venv --quiet --python "$(PYTHON)" $(VENV)
else
	"$(PYTHON)" -m venv --without-pip $(VENV)
endif

ifneq ($(UV),)
INSTALL := VIRTUAL_ENV='$(CURDIR)/$(VENV)' $(UV) pip install --quiet
else
QUIETLY := --quiet --disable-pip-version-check --no-compile
INSTALL := $(PY) -m pip install $(QUIETLY)
endif

# The interpreter's own pip fetches the one that is locked, in a fraction of the time that ensurepip takes; where it has
# none, or one that knows no --python, that has to do.
LOCKED_PIP = sed -n '/^pip==/,/[^\]$$/p' $(1)
LEND = "$(PYTHON)" -m pip --python $(PY) install $(QUIETLY) --no-deps --require-hashes -r /dev/stdin
OWN_PIP = $(PY) -m pip --version >/dev/null 2>&1 || $(LOCKED_PIP) | $(LEND) 2>/dev/null || $(PY) -m ensurepip >/dev/null

# The lock is whole: there is nothing left to resolve.
define install
	@echo 'Installing what $(1) locks into $(VENV)'
	$(if $(UV),,@$(OWN_PIP))
	@$(INSTALL) --no-deps --require-hashes -r $(1)
	@$(INSTALL) --no-deps --no-build-isolation -e .
	@touch $@
endef

$(VENV)/.runtime: requirements.txt pyproject.toml | $(PY)
	$(call install,requirements.txt)

$(VENV)/.dev: requirements-dev.txt pyproject.toml | $(PY)
	$(call install,requirements-dev.txt)
