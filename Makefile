# make demo    try it: simulator, gateway and store on 127.0.0.1 (ARGS=--once plays the conversation and ends)
# make test    all tests            make lint    ruff, the import rules, types
# make bench   turns a second       make golden  rewrite the transcripts of tests/dialogues from what is shown now
# make format  ruff's layout        make docs    rewrite the generated pages of docs/reference
# make fuzz    look for octets that break something, FUZZ_S=60 seconds each target (ARGS="decode session")

# The first that is new enough and can make a virtual environment. The distribution's own comes first: it is built
# with profile-guided optimisation, those of version managers mostly are not, and the gateway feels it.
PYTHON ?= /usr/bin/python3 python3.13 python3.12 python3.11 python3
BIN := .venv/bin
ARGS ?=
# Tests of a file stay on one worker; the slow folders come first in the alphabet and so begin first.
IN_PARALLEL := -n auto --dist loadgroup --no-loadscope-reorder

.PHONY: help demo test lint format bench golden docs fuzz clean
help:
	@sed -n 's/^# //p' Makefile

demo: $(BIN)/.runtime
	@$(BIN)/starpound demo $(ARGS)

test: $(BIN)/.dev
	@tests/provide node perl kannel tshark chromium
	$(BIN)/python -m pytest $(IN_PARALLEL) $(ARGS)

lint: $(BIN)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --config setup.cfg
	$(BIN)/mypy

format: $(BIN)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# atheris has wheels for Linux and CPython only, and not at once for the newest one.
fuzz: $(BIN)/.dev
	@$(BIN)/python -c 'import atheris' 2>/dev/null || \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev,fuzz]' || \
	  { echo "the fuzzer (atheris) cannot be had for this platform and Python; tests/fuzz/test_finds.py runs without it" >&2; exit 1; }
	$(BIN)/python tests/fuzz/fuzz.py $(ARGS)
	$(if $(ARGS),,$(BIN)/python -m pytest $(IN_PARALLEL) -m hypothesis --hypothesis-profile=fuzz)

docs: $(BIN)/.dev
	$(BIN)/python docs/generate.py --run

golden: $(BIN)/.dev
	$(BIN)/python -m pytest tests/dialogues --golden $(ARGS)
	@git --no-pager diff --stat -- tests/dialogues

bench: $(BIN)/.dev
	@tests/provide node kannel
	$(BIN)/python bench/run.py $(ARGS)

clean:
	rm -rf .venv build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis tests/peers/node/node_modules

$(BIN)/python:
	@for python in $(PYTHON); do \
	  $$python -c 'import ensurepip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue; \
	  $$python -m venv .venv && exit; \
	done; \
	echo "starpound needs Python 3.11 or newer with ensurepip (Debian: apt-get install python3-venv);" >&2; \
	echo "say where it is: make PYTHON=/path/to/python3" >&2; \
	exit 1

$(BIN)/.runtime: $(BIN)/python setup.cfg pyproject.toml
	@echo "installing starpound into .venv ..." >&2
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(BIN)/.dev: $(BIN)/.runtime
	@echo "installing what tests and lint need ..." >&2
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev,bench]'
	@touch $@
