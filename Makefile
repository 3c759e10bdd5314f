# Everything runs from a private .venv that the first target needing it builds.
#
#   make test                      what every change must pass
#   make test PYTHON=python3.12    the same, on a chosen interpreter

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.complete
OLDEST := .venv-oldest

export PIP_DISABLE_PIP_VERSION_CHECK := 1

# The stamp is written last and records where the venv was built and, when PYTHON
# was chosen by hand, with what. A venv that was interrupted, moved with its
# folder, lost its interpreter, or was built by another PYTHON is built again.
STAMPED := $(shell test "$$(sed -n 1p $(STAMP) 2>/dev/null)" = "$(CURDIR)" \
	&& $(BIN)/python -c 'import sys' 2>/dev/null && sed -n 2p $(STAMP))
ifeq ($(STAMPED),)
$(STAMP): FORCE
else ifneq ($(origin PYTHON),file)
ifneq ($(STAMPED),$(PYTHON))
$(STAMP): FORCE
endif
endif

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: site help verify verify-full test lint format types oldest nightly coverage mutation bench dist clean FORCE

# What tests the reference implementation itself, one test file a module.
IMPL_TESTS := $(addprefix tests/impl/test_,$(addsuffix .py,record routing clients network documents fingerprints miroir coordinator shard \
	mover anti_entropy faults migration cluster)) tests/checks/cutover/reference/test_perform.py

help:  ## list the targets
	@sed -n 's/^\([a-z-]*\):.*  ## \(.*\)/  \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "cutproof needs Python 3.11 or newer; '$(PYTHON)' is $$($(PYTHON) --version 2>/dev/null || echo 'not found')." >&2; \
	  echo "Choose another with, for example: make $(or $(MAKECMDGOALS),test) PYTHON=python3.12" >&2; \
	  exit 1; }
	@rm -rf $(VENV)
	@echo "Setting up $(VENV) (first time, or its recipe changed)"
	@if $(PYTHON) -c 'import ensurepip' 2>/dev/null; then $(PYTHON) -m venv $(VENV); \
	 else $(PYTHON) -m venv --without-pip $(VENV) && \
	      $(PYTHON) -m pip --python $(BIN)/python install --quiet pip; fi
	@$(BIN)/python -m pip install --quiet --editable '.[dev]'
	@printf '%s\n' '$(CURDIR)' '$(PYTHON)' > $@

verify: $(STAMP)  ## run the checks, a few minutes at most
	$(BIN)/cutproof verify

verify-full: $(STAMP)  ## run the checks at full depth
	$(BIN)/cutproof verify --full

test: lint types  ## ruff, formatting, mypy, then the tests; what is skipped is said
	$(BIN)/python -m pytest -rsfE -n auto --dist worksteal

site: $(STAMP)  ## the documents as a site, in .site/
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --quiet --strict
	@echo ".site/index.html"

lint: $(STAMP)  ## ruff: rules and formatting, nothing is changed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(STAMP)  ## ruff: fix what can be fixed, and format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: lint  ## mypy on model/, impl/ and checks/
	$(BIN)/python -m mypy -p cutproof

# What uses each dependency most; the rest is about ourselves.
OLDEST_TESTS := $(addprefix tests/checks/,engines/plain engines/fast/test_kernels.py engines/proof/test_judge.py traces \
	cutover/gate/test_policy_file.py cutover/loss/test_dask_executor.py pages/test_losses.py)

oldest: $(OLDEST)/.complete  ## the tests that use dependencies most, with the lowest versions that are allowed
	$(OLDEST)/bin/python -m pytest -n auto --dist worksteal $(OLDEST_TESTS)

$(OLDEST)/.complete: pyproject.toml constraints/oldest.txt
	@rm -rf $(OLDEST)
	$(PYTHON) -m venv $(OLDEST)
	$(OLDEST)/bin/python -m pip install --quiet --constraint constraints/oldest.txt --editable '.[fast,cvc5,dask,html]'
	@touch $@

nightly: $(STAMP)  ## the deeper runs that `make test` leaves out, and more examples of what is drawn
	$(BIN)/python -m pytest -n auto --dist worksteal -m 'nightly or hypothesis' --hypothesis-profile nightly

coverage: $(STAMP)  ## branches of the reference implementation that its tests take; at least 95 %
	@mkdir -p build
	$(BIN)/python -m coverage run -m pytest -q -p no:xdist $(IMPL_TESTS)
	$(BIN)/python -m coverage report

mutation: $(STAMP)  ## small changes of the reference implementation that no test notices; an hour or two
	$(BIN)/python -m pip install --quiet --editable '.[mutation]'
	$(BIN)/python tests/mutation.py

bench: $(STAMP)  ## run tests/benchmarks/**/bench_*.py one after another
	@set -e; found=; for script in tests/benchmarks/bench_*.py tests/benchmarks/*/bench_*.py; do \
	  if [ -e "$$script" ]; then found=1; echo "== $$script"; $(BIN)/python "$$script"; fi; \
	done; if [ -z "$$found" ]; then echo "no benchmarks yet"; fi

dist: $(STAMP)  ## a wheel in dist/, checked: installed into an empty environment, every command from an empty folder
	rm -rf dist build/lib build/bdist.*
	$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir dist .
	rm -rf build/lib build/bdist.*
	$(BIN)/python tests/packaging/check_wheel.py dist/*.whl

clean:  ## remove .venv, build and every cache
	rm -rf $(VENV) $(OLDEST) build dist cutproof.egg-info .hypothesis .mypy_cache .ruff_cache .pytest_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
