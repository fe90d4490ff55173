# Needs git, make and Python 3.11 or newer with its venv module; everything else is installed into
# .venv, at the versions and hashes of requirements/. Another interpreter: make run PYTHON=python3.13
# The tests of the teaching page alone need more, a browser and Node: see the target browser.

PYTHON ?= python3
ARGS ?=
VENV := .venv
BIN := $(VENV)/bin
WEB := simulator/playback/web
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run test statistics check format verify model gallery bench bench-startup \
	bench-sweeps bench-page bench-skipped browser page lock clean

help:  ## show this help
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | awk -F '\t' '{ printf "  make %-14s %s\n", $$1, $$2 }'

run: $(VENV)/.ready-run  ## set up, then simulate the main scenario (stiff person syndrome)
	$(BIN)/apheresis run stiff-person-acute $(ARGS)

test: $(VENV)/.ready-dev browser  ## set up, then run all tests; ARGS="-k units" for some of them
	$(BIN)/python -m pytest --quiet -rs --numprocesses auto --dist worksteal $(ARGS)

statistics: $(VENV)/.ready-dev  ## set up, then compare rates over hundreds of sessions with published ones
	$(BIN)/python -m pytest --quiet --numprocesses auto --dist worksteal -m statistics $(ARGS)

check: $(VENV)/.ready-dev  ## set up, then lint, format check, types and import contracts
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.ready-dev  ## format the code and mend what ruff can mend
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

verify: $(VENV)/.ready-run  ## set up, then hold the program against closed forms and published cases
	$(BIN)/apheresis verify $(ARGS)

model: $(VENV)/.ready-run  ## write the made parts and figure of MODEL.md and README.md anew; ARGS=--all with rates
	$(BIN)/python -m simulator.documents $(ARGS)

gallery: $(VENV)/.ready-run  ## run and draw all bundled scenarios anew, into plots/
	$(BIN)/python -m simulator.gallery plots

bench: $(VENV)/.ready-dev  ## one course of the benchmark problem PEX-28: our engines and others
	$(BIN)/python benchmarks/engines.py --out benchmarks/results $(ARGS)

bench-startup: $(VENV)/.ready-run  ## where the time of a single run goes
	$(BIN)/python benchmarks/startup.py $(ARGS)

bench-sweeps: $(VENV)/.ready-run  ## whole sweeps: runs a second and memory, by one and two processes
	$(BIN)/python benchmarks/sweeps.py $(ARGS)

bench-page: $(VENV)/.ready-dev  ## how smoothly the teaching page plays; needs Chromium
	$(BIN)/python benchmarks/teaching_page.py $(ARGS)

bench-skipped: $(VENV)/.ready-dev  ## which solvers skip a session: the tables and the figure of EVENTS.md
	$(BIN)/python benchmarks/skipped_sessions.py --plot plots/skipped-sessions/skipped-sessions.png

browser:  ## install the browser and Node that tests need, where they are missing and apt-get is there
	@tests/install-browser.sh

page:  ## build the teaching page's front end anew (needs Node)
	npm --prefix $(WEB) ci
	npm --prefix $(WEB) run check
	npm --prefix $(WEB) run build

lock:  ## pin the newest versions that fit pyproject.toml (needs uv)
	$(LOCK) --group build --output-file requirements/run.txt --upgrade
	$(LOCK) --group dev --constraints requirements/run.txt --output-file requirements/dev.txt --upgrade

clean:  ## remove the environment, the caches and what was built; your runs stay
	rm -rf $(VENV) $(WEB)/node_modules build dist
	rm -rf .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find simulator tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

# One lock for every platform and Python, without the address of any registry.
LOCK = uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-annotate --custom-compile-command "make lock" --quiet

$(BIN)/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; name one: make run PYTHON=python3.13" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

# A second try, because a single stalled download should not end a set-up. Byte code is written here
# because some machines forbid Python to write it later, and then every start would compile anew.
$(VENV)/.ready-%: requirements/%.txt pyproject.toml | $(BIN)/pip
	$(PIP) install --quiet --require-hashes --requirement $< || \
		$(PIP) install --quiet --require-hashes --requirement $<
	$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	$(BIN)/python -m compileall -q simulator
	@touch $@
