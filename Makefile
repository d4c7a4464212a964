PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
CONFIG ?= config.yaml
PIP := $(BIN)/python -m pip install --disable-pip-version-check --constraint constraints.txt

# Many tests wait, so there is one worker more than cores; files go in their order, for those that take long come first.
WORKERS := --numprocesses 3 --dist loadfile --no-loadscope-reorder

.PHONY: run test test-slow browser check format train evaluate needs-data benchmark clean

## run: install what is needed and listen (ONCE=1 ends after one pass)
run: .venv/.installed
	$(BIN)/listener run --config $(CONFIG) $(if $(ONCE),--once)

## test: install what tests need and run every check
test: .venv/.installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/pytest -q -m "not slow" $(WORKERS)

## browser: Chromium for the browser tests, by Debian's package manager; without it they are skipped
browser:
	@command -v chromium-headless-shell chromium >/dev/null || (apt-get update -qq && DEBIAN_FRONTEND=noninteractive \
		apt-get -o APT::Keep-Downloaded-Packages=false install -y -qq --no-install-recommends chromium-headless-shell fonts-noto-core fonts-noto-cjk)

check: test

## test-slow: the long forms of what `make test` checks in short
test-slow: .venv/.installed-dev
	$(BIN)/pytest -q -m slow $(WORKERS)

format: .venv/.installed-dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

## train, evaluate: make the heads anew from DATA, or measure those that ship
train: needs-data .venv/.installed-dev
	$(BIN)/python -m classifiers.training train --data $(DATA) --out classifiers/weights

evaluate: needs-data .venv/.installed-dev
	$(BIN)/python -m classifiers.training evaluate --data $(DATA)

needs-data:
	$(if $(DATA),@:,$(error set DATA=folder with mentions/, authored/ and public/))

## benchmark: how fast, how small, how faithful; texts from DATA (JSON Lines) or examples/
benchmark: .venv/.installed-dev
	$(BIN)/python -m benchmarks $(if $(DATA),--data $(DATA)) $(NAMES)

.venv/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed; set PYTHON=…")'
	$(PYTHON) -m venv .venv

.venv/.installed: pyproject.toml constraints.txt | .venv/bin/python
	@echo "installing into .venv: a few minutes the first time"
	$(PIP) --editable .
	@touch $@

.venv/.installed-dev: .venv/.installed
	@echo "installing what tests need"
	$(PIP) --editable '.[dev]'
	@touch $@

clean:
	rm -rf .venv var
