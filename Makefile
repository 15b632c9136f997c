# Everything sets itself up on first use; nothing but Python 3.11 or newer and make is needed.
# ARGS go to what is run: make up ARGS='--port-offset 1000', make test ARGS='tests/unit -q'.
PYTHON ?= python3
BIN = .venv/bin
STAMP = .venv/installed
GSUTIL_STAMP = .venv-gsutil/installed

.PHONY: help setup demo up test check bench clean

help: ## this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 10

setup: $(STAMP) gsutil ## what the other commands need: .venv, and a gsutil where there is none

demo: setup ## send a photograph through all three doors and print what came out
	@$(BIN)/python -m local demo $(ARGS)

up: setup ## start everything and keep it running, with lines to copy
	@$(BIN)/python -m local up $(ARGS)

test: setup ## every test
	@$(BIN)/pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder $(ARGS)

check: $(STAMP) ## ruff, mypy --strict, shellcheck
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@for function in functions/*/main.py; do $(BIN)/mypy "$$function" || exit 1; done
	@$(BIN)/shellcheck -x -a .ci/run $(wildcard *.sh)

bench: setup ## latency, throughput and overhead, beside the bare processing
	@$(BIN)/python -m benchmarks

clean: ## delete what was installed and everything the local cloud keeps
	rm -rf .venv .venv-gsutil .local

$(STAMP): requirements.txt requirements-dev.txt
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed, this is " + sys.version) if sys.version_info < (3, 11) else 0'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "installing what requirements-dev.txt lists into .venv (once)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

# gsutil needs other versions of our libraries, hence an environment of its own.
.PHONY: gsutil
gsutil:
	@command -v gsutil >/dev/null || $(MAKE) --no-print-directory $(GSUTIL_STAMP)

$(GSUTIL_STAMP):
	@$(PYTHON) -m venv .venv-gsutil
	@echo "installing gsutil into .venv-gsutil (once; there is none on the PATH)"
	@.venv-gsutil/bin/python -m pip install --quiet --disable-pip-version-check gsutil==5.38
	@touch $@
