# persona-qoe. Every target sets up .venv by itself; `make help` lists them.

PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/installed
# DEMO=short draws and judges all pictures and trains a little: about five minutes instead of eight.
DEMO ?= full
# JUDGE=fake-vlm lets a fake vision-language model judge, asked over the real protocol.
JUDGE ?= clip
BESIDE := $(if $(filter fake-vlm,$(JUDGE)),$(BIN)/python -m tests.fake_provider run)

.DEFAULT_GOAL := help

.PHONY: help
help: ## List the targets
	@awk -F':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(INSTALLED): pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

.PHONY: install
install: $(INSTALLED) ## Set up .venv with everything, pinned by constraints.txt

.PHONY: demo
demo: $(INSTALLED) ## Run the loop: service, pictures, channel, personas, two agents, a report
	$(BESIDE) $(BIN)/allocator demo --out runs/demo $(if $(filter short,$(DEMO)),--short)

.PHONY: test
test: $(INSTALLED) ## Run every test
	$(BIN)/pytest --numprocesses auto --maxprocesses 4 --dist loadfile

.PHONY: check
check: $(INSTALLED) ## Lint, check formatting and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

.PHONY: bench
bench: $(INSTALLED) ## Run every benchmark; each prints what it measured against what
	@for file in benchmarks/*.py; do echo "== $$file"; $(BIN)/python $$file || exit 1; done
