# What a person or a robot says to this checkout. Needs python3 (3.11 or newer) and make; the rest is fetched.
PYTHON ?= python3
# Further words for pytest, lint or the benchmarks: make test ARGS="-k tickets"
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help run temporal-ui test test-fast lint bench clean

help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile
	@printf '\n  PORT=8000  PORTAL_DATA_DIR=var  PYTHON=python3  ARGS="-k name"\n'

run: ## Set up whatever is missing and start everything; Ctrl-C stops it
	@$(PYTHON) -m runner run

temporal-ui: export PORTAL_TEMPORAL_UI = 1
temporal-ui: ## Like run, and with Temporal's own web pages
	@$(PYTHON) -m runner run

test: ## The whole suite, browser and Temporal included
	@$(PYTHON) -m runner test $(ARGS)

test-fast: ## The tests that need neither browser nor Temporal
	@$(PYTHON) -m runner test-fast $(ARGS)

lint: ## Style, types, layers, translations
	@$(PYTHON) -m runner lint $(ARGS)

bench: ## Speed beside a bare Flask page, as ratios
	@$(PYTHON) -m runner bench $(ARGS)

clean: ## Remove what set-up made in the checkout; demo data in var/ stays
	rm -rf .venv node_modules portal/static/dist build .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
	find translations -name '*.mo' -delete
