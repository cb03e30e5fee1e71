# Affiliate Review: `make help` lists the targets.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.runtime
READY_DEV := $(VENV)/.development
READY_BENCH := $(VENV)/.bench
READY_PROVE := $(VENV)/.prove
READY_DOCS := $(VENV)/.docs
PORT ?= 8501
.DEFAULT_GOAL := help

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed; name one: make run PYTHON=python3.12" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)

$(READY): requirements.txt constraints.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt -c constraints.txt
	@touch $@

$(READY_DEV): requirements-dev.txt $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt -c constraints.txt
	@touch $@

$(READY_BENCH): requirements-bench.txt $(READY_DEV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-bench.txt -c constraints.txt
	@touch $@

$(READY_PROVE): requirements-prove.txt $(READY_DEV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-prove.txt -c constraints.txt
	@touch $@

$(READY_DOCS): requirements-docs.txt $(READY_DEV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-docs.txt -c constraints.txt
	@touch $@

.PHONY: run
run: $(READY) ## Start the dashboard with demo data and open it in the browser
	@$(BIN)/python -m data_access start --port $(PORT)

.PHONY: stop
stop: $(READY) ## Stop the embedded Postgres; the data stays
	@$(BIN)/python -m data_access stop

# Tests start the product's processes some hundred times: what is compiled is kept, whatever the shell says.
test check: export PYTHONDONTWRITEBYTECODE :=

.PHONY: test
test: $(READY_DEV) ## Run every test, browser flows included
	@.ci/browser
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder -m "not slow"

.PHONY: check
check: $(READY_DEV) ## Format, lint, types, layers and the fast tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/python -m cogapp --check --verbosity=0 docs/*.md data_access/db/migrations/schema/08_*.sql
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder -m "not slow and not browser"

.PHONY: fix
fix: $(READY_DEV) ## Format, and fix what the linter can
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

.PHONY: docs
docs: $(READY_DOCS) ## Write the generated tables in docs/, and the documents as a site to build/site
	$(BIN)/python -m cogapp -r docs/*.md data_access/db/migrations/schema/08_*.sql
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet

.PHONY: prove
prove: $(READY_PROVE) ## The longer proofs, and known vulnerabilities of the packages
	TEST_CASES=all $(BIN)/python -m pytest -m "slow or sampled or hypothesis"
	$(BIN)/python -m tests.audit

.PHONY: bench
bench: $(READY_BENCH) ## Build a million applications; measure against plain SQL and a peer
	@.ci/browser
	$(BIN)/python -m bench

.PHONY: bench-quick
bench-quick: $(READY_DEV) ## Measure every page over small data, and fail over a limit
	$(BIN)/python -m bench quick

.PHONY: clean
clean: ## Remove the environment and caches; the data stays
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -prune -exec rm -rf {} +
