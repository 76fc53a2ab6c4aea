# make demo    try it: simulator, gateway and store on 127.0.0.1 (ARGS=--once plays the conversation and ends)
# make test    all tests            make lint    ruff and the import rules
# make bench   turns a second       make golden  rewrite the transcripts of tests/dialogues from what is shown now

PYTHON ?= $(firstword $(foreach v,3.11 3.12 3.13,$(shell command -v python$(v))) python3)
BIN := .venv/bin
ARGS ?=

.PHONY: help demo test lint format bench golden clean
help:
	@sed -n 's/^# //p' Makefile

demo: $(BIN)/.runtime
	@$(BIN)/starpound demo $(ARGS)

test: $(BIN)/.dev
	@tests/provide node
	$(BIN)/python -m pytest $(ARGS)

lint: $(BIN)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --config setup.cfg

format: $(BIN)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

golden: $(BIN)/.dev
	$(BIN)/python -m pytest tests/dialogues --golden $(ARGS)
	@git --no-pager diff --stat -- tests/dialogues

bench: $(BIN)/.dev
	@tests/provide node kannel
	$(BIN)/python bench/run.py $(ARGS)

clean:
	rm -rf .venv build dist *.egg-info .pytest_cache .ruff_cache .hypothesis tests/peers/node/node_modules

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "starpound needs Python 3.11 or newer; say which: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@$(PYTHON) -m venv .venv \
	  || { echo "$(PYTHON) cannot make a virtual environment; on Debian: apt-get install python3-venv" >&2; exit 1; }

$(BIN)/.runtime: $(BIN)/python setup.cfg pyproject.toml
	@echo "installing starpound into .venv ..." >&2
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(BIN)/.dev: $(BIN)/.runtime
	@echo "installing what tests and lint need ..." >&2
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev,bench]'
	@touch $@
