# Every target does its own set-up: a fresh machine needs Python 3.11 or newer and make, nothing else.
# Pinned, hashed packages go into .venv; stamp files make the second run fast.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --disable-pip-version-check --quiet
EDITABLE := $(INSTALL) --no-deps --no-build-isolation --config-settings editable_mode=compat --editable .
LOCK := env -u PIP_FIND_LINKS CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/pip-compile --quiet --generate-hashes --strip-extras --allow-unsafe --build-deps-for editable \
	--no-emit-index-url --no-emit-trusted-host --no-emit-find-links --no-emit-options
WORKERS ?= 2
RUN ?= $(BIN)/python

.PHONY: help install demo serve test lint format bench bench-http interop prove lock clean

help:
	@echo "make demo    the whole chain on this machine: issue, hold, present, verify, refuse"
	@echo "make serve   the same services left running, for scripts (ends with Ctrl-C)"
	@echo "make test    every test"
	@echo "make lint    ruff, mypy --strict"
	@echo "make bench   ratios against raw signatures and two peers"
	@echo "make bench-http  the credential endpoint against a bare server; durable records"
	@echo "make interop wallets and libraries of others against ours (needs Node)"
	@echo "make prove   switch off each declared check and see a test fail"
	@echo "make lock    resolve the pinned packages anew"

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: requirements.lock pyproject.toml | $(BIN)/python
	$(INSTALL) --require-hashes --requirement requirements.lock
	$(EDITABLE)
	@touch $@

$(VENV)/.installed-dev: requirements-dev.lock $(VENV)/.installed
	$(INSTALL) --require-hashes --requirement requirements-dev.lock
	@touch $@

install: $(VENV)/.installed

demo: $(VENV)/.installed
	$(BIN)/portadoc demo

serve: $(VENV)/.installed
	$(BIN)/portadoc demo --serve

test: $(VENV)/.installed-dev
	$(RUN) -m pytest -n $(WORKERS) --dist loadscope $(PYTEST_ARGS)

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy .

format: $(VENV)/.installed-dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/.installed-dev
	$(BIN)/python -m bench

bench-http: $(VENV)/.installed-dev
	$(BIN)/python -m bench.http

interop: $(VENV)/.installed-dev
	npm --prefix tests/interop install --no-save --silent
	$(BIN)/python -m pytest -m interop tests/interop $(RECORD)

prove: $(VENV)/.installed-dev
	$(BIN)/python -m tests.mutation.prove --workers $(WORKERS) $(PROVE_ARGS)

lock: $(VENV)/.installed-dev
	$(LOCK) --output-file requirements.lock pyproject.toml
	$(LOCK) --extra dev --output-file requirements-dev.lock pyproject.toml

clean:
	rm -rf $(VENV) build dist *.egg-info bench/out .portadoc .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage*
