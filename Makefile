# `make help` lists the targets: it reads the `##` comments below.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help setup demo test lint types contracts unit tests docs format bench up down status clean

PYTHON := .venv/bin/python
BUS := .venv/bin/bus
# Compiled files are kept, `make clean` removes them: else every process of a run compiles the bus and its tests anew.
unexport PYTHONDONTWRITEBYTECODE
# Further words for the command, such as `make demo ARGS=--keep`.
ARGS ?=
EVENTS ?= 500000
SOURCES := bus schemas compliance processors connectors deploy tests

help: ## Show this list
	@awk 'BEGIN {FS = ":.*## "} /^[a-z]+:.*## / {printf "  %-10s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

setup: ## Make .venv with everything in it; install what the machine lacks where allowed
	@deploy/setup.sh

demo: setup ## Show the whole journey on a cluster of its own (ARGS=--keep leaves it running)
	@$(BUS) demo $(ARGS)

test: lint types contracts tests ## Everything that must be green: lint, types, import contracts, all tests

lint: setup ## Check style and formatting
	$(PYTHON) -m ruff check $(SOURCES)
	$(PYTHON) -m ruff format --check $(SOURCES)

types: setup ## Check types, strictly
	$(PYTHON) -m mypy

contracts: setup ## Check that imports between the rooms flow one way
	.venv/bin/lint-imports

tests: setup ## Run all tests, on real Kafka, four files at a time
	$(PYTHON) -m pytest -n 4 --dist loadfile --no-loadscope-reorder $(ARGS)

unit: setup ## Run the tests that need neither Kafka nor PostgreSQL, with a tenth of the examples, in seconds
	$(PYTHON) -m pytest -n 2 --hypothesis-profile few -m "not postgres" tests/unit tests/property $(ARGS)

docs: setup ## Write the reference pages and the boards from the code's own tables
	@$(BUS) docs docs
	@$(PYTHON) -m bus.reference.boardfiles deploy

format: setup ## Format the code and mend what can be mended
	$(PYTHON) -m ruff check --fix $(SOURCES)
	$(PYTHON) -m ruff format $(SOURCES)

bench: setup ## Measure the bus against a raw copy (EVENTS=500000); the last line is one JSON object
	@$(PYTHON) -m bus.bench --events $(EVENTS) $(ARGS)

up: setup ## Start Kafka and the registry on this machine
	@$(BUS) local up $(ARGS)

down: ## Stop them (ARGS=--wipe also removes their data)
	@if [ -x $(BUS) ]; then $(BUS) local down $(ARGS); fi

status: setup ## Show what runs
	@$(BUS) local status

clean: down ## Stop everything and remove what was built here; data and certificates stay
	rm -rf .venv build dist ./*.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
