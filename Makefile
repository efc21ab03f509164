# Rapport's front door. Needs only Python >= 3.11 and make; `make` alone explains the rest.

PYTHON ?= python3
TOOLS  := .rapport/tools
# A uv given by UV or found on PATH, else one of our own inside the checkout.
UV     ?= $(or $(shell command -v uv 2>/dev/null),$(TOOLS)/bin/uv)
RUN    := $(UV) run --frozen --no-sync
LOCAL  := $(RUN) python -m deploy.local
# Each process of tests has a Kafka and a PostgreSQL of its own.
IN_PARALLEL := --numprocesses 2 --dist loadscope --no-loadscope-reorder

.DEFAULT_GOAL := help
.PHONY: help run stop status logs reset migrate test test-fast bench check contracts contracts-release format environment

help:
	@awk 'BEGIN { FS = ":.*## " } \
	  /^##@/ { printf "\n\033[1m%s\033[0m\n", substr($$0, 5) } \
	  /^[a-z-]+:.*## / { printf "  make %-17s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

##@ Run it
run: environment ## Start Kafka, PostgreSQL, the five services and the demo; Ctrl-C stops all
	@$(LOCAL) run
stop: environment ## Stop what `make run` started, wherever it runs
	@$(LOCAL) stop
status: environment ## Show services, lag, outboxes, dead letters, quarantine, and how fresh the view is
	@$(RUN) rapport status --local
logs: environment ## Follow the logs of everything (NAME=gateway for one)
	@$(LOCAL) logs $(NAME)
reset: environment ## Stop, and remove all data of `make run`
	@$(LOCAL) reset
migrate: environment ## Apply topics and migrations, also while it runs
	@$(LOCAL) migrate

##@ Prove it
test: environment ## Run every test on real Kafka and PostgreSQL, started and stopped by itself
	@$(RUN) pytest tests $(IN_PARALLEL)
test-fast: environment ## Run the tests that need no infrastructure
	@$(RUN) pytest $(wildcard tests/unit tests/contract) $(IN_PARALLEL)
bench: environment ## Measure speed and memory beside their limits, on a stack of its own (ARGS="--only read")
	@$(RUN) python -m tests.benchmarks $(ARGS)
check: environment ## Run linters, types, import rules; compare contracts and their documents
	$(RUN) ruff check .
	$(RUN) ruff format --check .
	$(RUN) mypy shared services deploy tests
	$(RUN) lint-imports
	$(RUN) python -m deploy.contracts --check

##@ Work on it
contracts: environment ## Regenerate schemas, examples, docs/events.md, AsyncAPI, OpenAPI and the Grafana dashboard
	@$(RUN) python -m deploy.contracts
contracts-release: environment ## Hold later changes to the schemas as they are now
	@$(RUN) python -m deploy.contracts --release
format: environment ## Format the code and sort its imports
	$(RUN) ruff check --select I --fix .
	$(RUN) ruff format .

environment: .venv/.synced

.venv/.synced: uv.lock pyproject.toml shared/pyproject.toml $(wildcard services/*/pyproject.toml) | $(filter $(TOOLS)/bin/uv,$(UV))
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Rapport needs Python 3.11 or later; this is " + sys.version.split()[0] + ". Name another by PYTHON=...")'
	@echo "Preparing the environment (.venv)"
	@$(UV) sync --frozen --quiet --python $(PYTHON)
	@touch $@

$(TOOLS)/bin/uv:
	@echo "Installing uv into $(TOOLS)"
	@$(PYTHON) -m venv $(TOOLS)
	@$(TOOLS)/bin/python -m pip install --quiet --disable-pip-version-check 'uv>=0.9,<1'
