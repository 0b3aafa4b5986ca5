# The two commands of the README, and what they need. Each sets itself up in .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
OUT := demo/out
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --constraint constraints.txt

.DELETE_ON_ERROR:  # half a .venv, as where ensurepip is not installed, is made anew
.PHONY: demo test check lint format clean

demo: $(VENV)/.installed  ## export the bundled chat, train a small model on it, talk to it
	@rm -rf $(OUT)
	$(BIN)/likeness export demo/chats -o $(OUT)/messages.jsonl --me Juno
	$(BIN)/likeness check $(OUT)/messages.jsonl --show 3
	$(BIN)/likeness train $(OUT)/messages.jsonl --run $(OUT)/juno --base starter
	@if [ -t 0 ]; then $(BIN)/likeness chat $(OUT)/juno; \
	else $(BIN)/likeness chat $(OUT)/juno --seed 1 < demo/questions.txt; fi

test: $(VENV)/.installed-dev lint  ## every check there is
	HF_HUB_OFFLINE=1 $(BIN)/pytest --quiet --numprocesses auto

check: $(VENV)/.installed-dev lint  ## the fast ones: under a minute on two cores
	HF_HUB_OFFLINE=1 $(BIN)/pytest --quiet --numprocesses auto -m "not slow" --hypothesis-profile quick

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check --quiet
	$(BIN)/ruff format --check --quiet
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

format: $(VENV)/.installed-dev
	$(BIN)/ruff check --fix --quiet
	$(BIN)/ruff format --quiet

clean:
	rm -rf $(VENV) $(OUT) build *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and \
	"Likeness needs Python 3.11 or newer: make PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: $(BIN)/python pyproject.toml constraints.txt
	$(PIP) --editable .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(PIP) --editable '.[dev]'
	@touch $@
