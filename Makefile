# The words a newcomer types. Needs Python 3.11 or newer with its venv module, and make; nothing else, and no root.
#   make run      the whole product with its demo (DEMO=0: alone; PORT=8010: elsewhere; DB=postgres: a real PostgreSQL)
#   make test     the whole suite on SQLite and PostgreSQL (ARGS="tests/config -k port": a part of it)
#   make faults   the fault matrix: one fault at a time, nothing lost or doubled (ARGS="--list": what there is)
#   make bench    the benchmarks, each beside its target (ARGS="--quick --only intake": a part of it, faster)
#   make check    format, lint, types, migrations, translations, architecture floors
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UNFINISHED := $(VENV)/unfinished
RUN_READY := $(VENV)/run.stamp
DEV_READY := $(VENV)/dev.stamp
RUN_REQUIREMENTS := requirements.txt config/stack/requirements.txt
# --no-compile: byte-compiling everything at once takes longer than the whole start.
INSTALL = $(BIN)/python -m pip install --quiet --no-compile --no-input --disable-pip-version-check
DEMO_ZENDESK_PORT ?= 8900

# An environment that was interrupted half-way, or whose Python is gone, is made anew.
STALE := $(shell test ! -e $(UNFINISHED) && $(BIN)/python -c '' 2>/dev/null || echo stale)

.DEFAULT_GOAL := help
.PHONY: help run test faults bench check messages demo-zendesk clean environment

help:
	@sed -n '/^#   make/p' Makefile | cut -c3-

run: $(if $(filter postgres%,$(DB)),$(DEV_READY),$(RUN_READY))
	@$(BIN)/python -m config.stack run

test: $(DEV_READY)
	@$(BIN)/python -m tests.launch $(ARGS)

faults: $(DEV_READY)
	@$(BIN)/python -m tests.faults $(ARGS)

bench: $(DEV_READY)
	@$(BIN)/python -m tests.benchmarks $(ARGS)

check: $(DEV_READY)
	@$(BIN)/python -m config.stack check

messages: $(DEV_READY)
	@$(BIN)/python -m config.stack update-messages

demo-zendesk: $(RUN_READY)
	@mkdir -p var/demo
	@$(BIN)/python -m demo.zendesk --port $(DEMO_ZENDESK_PORT) --state var/demo/zendesk.sqlite3

clean:
	rm -rf $(VENV)

environment:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed, and $(PYTHON) is not. Name another: make run PYTHON=python3.12"; exit 1; }
	@echo "Making the environment ($(VENV))…"
	@rm -rf $(VENV) && mkdir $(VENV) && touch $(UNFINISHED)
	@$(PYTHON) -m venv $(VENV) || { echo "Python's venv module is needed (on Debian: python3-venv)."; exit 1; }

$(RUN_READY): $(RUN_REQUIREMENTS) $(if $(STALE),environment)
	@echo "Installing what the product needs…"
	@touch $(UNFINISHED)
	@$(INSTALL) $(addprefix -r ,$(RUN_REQUIREMENTS))
	@rm -f $(UNFINISHED) && touch $@

$(DEV_READY): requirements-dev.txt $(RUN_REQUIREMENTS) $(if $(STALE),environment)
	@echo "Installing what the tests and checks need…"
	@touch $(UNFINISHED)
	@$(INSTALL) -r requirements-dev.txt
	@rm -f $(UNFINISHED) && touch $(RUN_READY) $@
