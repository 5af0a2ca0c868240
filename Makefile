# Podium: `make run` starts the dashboard, `make test` runs the suite. GNU make 3.81 is enough.

VENV  := .venv
PORT  ?= 8501
PEERS := .bench-peers
BIN   := $(VENV)/bin

# The first interpreter that answers and is new enough; PYTHON=... names another.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python3.14; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && echo $$p && break; done)

.DEFAULT_GOAL := help
.PHONY: help run demo test soak check bench bench-peers chromium clean

help:
	@echo "make run          start the dashboard on http://127.0.0.1:$(PORT)  (PORT=... for another)"
	@echo "make demo         train the sample experiment: three models, three seeds, about a minute"
	@echo "make test         run the whole test suite"
	@echo "make soak         the suite with its long variants: more kills, more seeds, longer locks"
	@echo "make check        format, lint, types and structure"
	@echo "make bench        speed and size beside plain sqlite3  (BENCH='--quick --only log')"
	@echo "make bench-peers  install trackio and mlflow into $(PEERS) for make bench to compare with"
	@echo "make clean        remove the environments and caches; stores are never touched"

run: $(VENV)/.app
	@$(BIN)/python -m tracking.ui.server --port $(PORT)

demo: $(VENV)/.app
	@$(BIN)/python -m tracking demo

# Hundreds of processes are started: without bytecode on disk each would compile the same files again.
test: $(VENV)/.dev chromium
	@PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile $(TESTS)

soak: $(VENV)/.dev chromium
	@PODIUM_SOAK=1 PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile --timeout 3600 $(TESTS)

check: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy tracking
	$(BIN)/python -m pytest -q tests/test_layers.py tests/test_public_names.py tests/test_readme.py

bench: $(VENV)/.app
	@$(BIN)/python -m benchmarks $(BENCH)

bench-peers: $(VENV)/.app
	@test -x $(PEERS)/bin/python || $(PYTHON) -m venv $(PEERS)
	$(PEERS)/bin/python -m pip install --quiet --disable-pip-version-check trackio mlflow

# The stamps are newer than the lists of requirements exactly when those are installed.
$(VENV)/.app: requirements.txt setup.py pyproject.toml | $(VENV)/bin/python
	@echo "Installing the requirements into $(VENV); the first time this takes a few minutes."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt --editable .
	@touch $@

$(VENV)/.dev: requirements-dev.txt $(VENV)/.app
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed and none was found. Install it (Debian:" \
		"apt install python3 python3-venv, macOS: brew install python), or name one: make PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "$(PYTHON) cannot create environments." \
		"On Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }

# The browser tests drive the system's own Chromium. Without one they are skipped, in CI they fail.
chromium:
	@for c in chromium chromium-browser google-chrome google-chrome-stable; do \
		command -v $$c >/dev/null 2>&1 && exit 0; done; \
	test -d "/Applications/Chromium.app" -o -d "/Applications/Google Chrome.app" && exit 0; \
	if ! command -v apt-get >/dev/null 2>&1; then \
		echo "No Chromium found: the browser tests are skipped. On macOS: brew install --cask chromium" >&2; exit 0; fi; \
	if [ "$$(id -u)" = 0 ]; then as=; elif sudo -n true 2>/dev/null; then as="sudo -n"; else \
		echo "No Chromium found: the browser tests are skipped. Install it: sudo apt-get install chromium" >&2; exit 0; fi; \
	echo "Installing the system's Chromium for the browser tests."; \
	{ $$as apt-get update && $$as apt-get install -y --no-install-recommends chromium; } >/dev/null || \
		echo "Chromium could not be installed: the browser tests are skipped." >&2

clean:
	rm -rf $(VENV) $(PEERS) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis test-results
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
