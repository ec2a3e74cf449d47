# `make demo` and `make test` are all a newcomer needs. Any Python from 3.11 on: make PYTHON=python3.12 demo
# PIP_FLAGS goes to every pip install, for example an index that holds CPU-only builds of torch.
PYTHON ?= python3
PIP_FLAGS ?=
# Processes that share the tests: auto is one for each core, within the memory there is; 0 is pytest's own, one after another.
WORKERS ?= auto
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
TORCH := $(shell sed -n 's/^\(torch==.*\)/\1/p' constraints.txt)
PIP := $(BIN)/pip install --quiet $(PIP_FLAGS)

.PHONY: venv browser demo test test-slow lint bench claims clean
.DELETE_ON_ERROR:

venv: $(STAMP)

# torch comes first and pinned, so that nothing that depends on it brings another.
$(STAMP): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) -c constraints.txt $(TORCH)
	$(PIP) -c constraints.txt --editable '.[torch,onnx,hf,lightning,remote,zarr,xarray,mcp,sat,cma,demo,dev]'
	touch $@

demo: $(STAMP)
	$(BIN)/python examples/demo.py

test: $(STAMP)
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal

# Chromium is driven by Playwright: 165 MB, so it comes only where it is asked for, and Chromium itself from the system.
browser: $(STAMP)
	$(PIP) -c constraints.txt playwright

# Slow ones go one after another: several take all cores, to compile or for processes of their own.
# Property tests draw the same cases in every `make test`, so that a change is judged by itself; here they draw new ones.
# Ray, 240 MB and ten seconds to start, is used by slow ones alone.
test-slow: $(STAMP)
	$(PIP) -c constraints.txt ray
	$(BIN)/python -m pytest -m slow --timeout 3600
	$(BIN)/python -m pytest tests/properties -n $(WORKERS) --dist worksteal --hypothesis-seed $$(date +%s)

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/mypy

# Every claim in its full form: hours. What a result has already is not measured again.
claims: $(STAMP)
	$(BIN)/python -m ontogeny claims --measure --full --folder ontogeny/claims/results -o docs/claims.md

bench: $(STAMP)
	$(BIN)/python benches/all.py

clean:
	rm -rf $(VENV) build dist demo *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
