# Every command sets itself up on first use and needs only make and Python 3.11 or newer.
# ARGS are passed on: make up ARGS='--port-offset 1000', make test ARGS='tests/unit -q'.
# EXTRAS are optional packages: make setup EXTRAS=heic,media,svg. Once installed, they stay, whatever a later command names.
PYTHON ?= python3
BIN = .venv/bin
STAMP = .venv/installed
GSUTIL_STAMP = .venv-gsutil/installed
COMMA := ,
EXTRA_NAMES = $(subst $(COMMA), ,$(EXTRAS))
EXTRA_STAMPS = $(sort $(EXTRA_NAMES:%=.venv/extra-%) $(wildcard .venv/extra-*))
COUNTED = --hypothesis-profile more --cov=shared --cov-report=term-missing:skip-covered
# Some environments forbid it to write bytecode; then each of the tests' many processes compiles every module again.
export PYTHONDONTWRITEBYTECODE =

.PHONY: help setup demo up hostile test test-long test-fast check fix bench load proof chaos lock clean

help: ## print this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

setup: $(STAMP) gsutil ## install .venv, and gsutil if it is missing; other commands do this too. EXTRAS=heic,media,svg adds formats

demo: setup ## send files through three doors and two stages, and print the results
	@$(BIN)/python -m local demo $(ARGS)

up: setup ## start everything and keep it running until Ctrl-C; prints commands to copy
	@$(BIN)/python -m local up $(ARGS)

hostile: $(STAMP) ## send every file of DIR through the running stack (make up), and print how each ended
	@test -n "$(DIR)" || { echo "name a folder of files: make hostile DIR=…" >&2; exit 2; }
	@$(BIN)/python -m local hostile "$(DIR)" $(ARGS)

test: setup ## every test but the long ones. COVERAGE=yes counts the lines of shared/ that they run, as CI does
	@$(BIN)/pytest --numprocesses 3 --dist loadfile -m 'not long' $(if $(COVERAGE),$(COUNTED)) $(ARGS)

test-long: setup ## the long tests: kill -9 under load, folders of hostile files, how-tos as printed
	@$(BIN)/pytest --numprocesses 3 --dist loadfile -m long $(ARGS)

test-fast: $(STAMP) ## unit tests and functions in memory: no network, no processes, under 30 seconds
	@$(BIN)/pytest --numprocesses 2 --dist loadfile tests/unit tests/functions $(ARGS)

check: $(STAMP) ## ruff, mypy --strict, shellcheck
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@for function in functions/*/main.py; do $(BIN)/mypy "$$function" || exit 1; done
	@$(BIN)/shellcheck -x -a .ci/run sluice $(wildcard *.sh examples/*/*.sh)

fix: $(STAMP) ## repair what ruff can repair: lint and format
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: setup ## measure latency, throughput and overhead beside the bare processing
	@$(BIN)/python -m benchmarks

.PHONY: load
load: setup ## N files at once (10000) through the doors: rates, latency, memory, CPU time, no file lost (minutes)
	@$(BIN)/python -m benchmarks.load --files $(or $(N),10000)

proof: $(STAMP) ## prove the protocol on the real handlers: oracle, faults, crash points, mutants (minutes)
	@$(BIN)/python -m tests.proof $(ARGS)

lock: $(STAMP) ## write requirements.lock and extras/*.lock, the hashes of what the image installs, anew from the pins
	@$(BIN)/python -m deploy.lock

chaos: $(STAMP) ## send N files while every component is killed again and again; a checker counts losses. N=1000 SEED=7
	@$(BIN)/python -m tests.chaos --files $(or $(N),1000) $(if $(SEED),--seed $(SEED)) $(ARGS)

clean: ## delete the installed tools and the local cloud's data
	rm -rf .venv .venv-gsutil .sharp .local .localcloud

$(STAMP): .venv/base $(EXTRA_STAMPS)
	@touch $@

.venv/base: requirements.txt requirements-dev.txt
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is required, found " + sys.version) if sys.version_info < (3, 11) else 0'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "installing requirements-dev.txt into .venv (once)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

.venv/extra-%: extras/%.txt .venv/base
	@echo "installing the extra $* into .venv"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r $<
	@touch $@

extras/%.txt:
	@echo "$* is no extra; write EXTRAS=$(subst $() ,$(COMMA),$(strip $(sort $(patsubst extras/%.txt,%,$(wildcard extras/*.txt)))))" >&2; exit 2

# gsutil needs other versions of the same libraries: it gets a virtual environment of its own.
.PHONY: gsutil
gsutil:
	@command -v gsutil >/dev/null || $(MAKE) --no-print-directory $(GSUTIL_STAMP)

$(GSUTIL_STAMP):
	@$(PYTHON) -m venv .venv-gsutil
	@echo "installing gsutil into .venv-gsutil (once: not found on the PATH)"
	@.venv-gsutil/bin/python -m pip install --quiet --disable-pip-version-check gsutil==5.38
	@touch $@
