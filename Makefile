# `make demo` and `make test` are all a newcomer needs; both set up everything first.
SHELL  := bash
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
# A file stays in one process: fixtures of modules are made once. The long files come
# first (tests/conftest.py), so that no process is left alone with one in the end.
PARALLEL := --numprocesses auto --dist loadfile --no-loadscope-reorder

# Tests start dozens of processes, which would each compile every module anew.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help setup demo test test-slow test-fast test-ray test-pythons test-wheel test-lowest coverage faults schemas kernels kernels-sanitize lint format types walls app-test \
        docs benchmark clean

help: ## Show the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup: $(READY) ## Create the virtual environment and a working MongoDB

KERNELS := evaluation/counting/kernels

# Of what pip says, one line per large file: minutes of silence look like a standstill.
SHOW_LARGE := grep --line-buffered -oE \
	'(Downloading|Using cached) [^ ]+ \([0-9.]+ [MG]B\)|^Installing collected packages'
# To unpack what was downloaded takes minutes, too, of which pip says nothing.
TELL_TIME := while sleep 15 >/dev/null 2>&1; do echo "   ... $$SECONDS s"; done &
# Of no use to whoever reads them here.
QUIET := PIP_DISABLE_PIP_VERSION_CHECK=1 PYTHONWARNINGS=ignore

$(READY): pyproject.toml constraints.txt setup.py $(wildcard $(KERNELS)/csrc/*)
	@echo "== Set-up, 1 of 3: a virtual environment in $(VENV)"
	@$(PYTHON) -m venv $(VENV)
	@$(QUIET) $(BIN)/pip install --quiet --upgrade pip
	@echo "== Set-up, 2 of 3: about 210 packages, 1 GB to download and 3 GB on disk;" \
		"2 to 5 minutes"
	@set -o pipefail; $(TELL_TIME) trap "kill $$!" EXIT; \
		$(QUIET) $(BIN)/pip install --progress-bar off \
		--constraint constraints.txt --editable '.[all,dev,docs]' \
		| { $(SHOW_LARGE) || true; }
	@echo "== Set-up, 3 of 3: FiftyOne's database, and a look at all parts"
	@$(BIN)/s3fo doctor --fix
	@touch $(READY)
	@echo "== Set-up took $$(( $$(date +%s) - $$(date -r $(VENV)/pyvenv.cfg +%s) )) seconds"

demo: setup ## Synthetic benchmark -> predictions -> scores, end to end
	$(BIN)/s3fo demo

test: setup ## All tests but the slow ones and those in a browser, one process per core
	$(BIN)/python -m pytest -m 'not app and not ray and not slow' $(PARALLEL)

test-slow: setup ## What `make test` leaves out: kills, trainings, notebooks, the site
	$(BIN)/python -m pytest -m 'slow and not app and not ray' $(PARALLEL)

test-fast: setup ## Tests for a change in hand: no FiftyOne, nothing that takes seconds
	$(BIN)/python -m pytest \
		-m 'not app and not slow and not seconds and not fiftyone' $(PARALLEL)

test-ray: setup ## Engines on a Ray cluster of this machine, minutes
	$(BIN)/python -m pytest -m ray

test-pythons: ## Tests of `evaluation` on every supported Python that is here
	bash .ci/pythons

test-wheel: ## Wheel and sdist in empty environments: s3fo evaluate, s3fo demo
	PYTHON="$(PYTHON)" bash .ci/wheel

test-lowest: ## Tests of `evaluation` with the lowest versions of what it needs
	bash .ci/lowest

coverage: setup ## All tests but those in a browser, with a report in htmlcov/
	$(BIN)/python -m pytest -m 'not app and not ray' $(PARALLEL) \
		--cov --cov-report=term --cov-report=xml --cov-report=html

schemas: setup ## Workflows, templates and citation are valid
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows \
		.github/workflows/*.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.dependabot .github/dependabot.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.github-issue-forms \
		.github/ISSUE_TEMPLATE/bug.yml .github/ISSUE_TEMPLATE/idea.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.github-issue-config \
		.github/ISSUE_TEMPLATE/config.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.citation-file-format CITATION.cff
	$(BIN)/pre-commit validate-config .pre-commit-config.yaml

kernels: setup ## Build the compiled kernels in place, after a change of their source
	$(BIN)/python setup.py -q build_ext --inplace --force

kernels-sanitize: setup ## Tests of the kernels under AddressSanitizer and UBSan
	CC="$(or $(CC),cc)" PYTHON="$(BIN)/python" sh tests/evaluation/sanitize_kernels.sh

lint: setup ## ruff: lint and format; deptry: every import is a declared dependency
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/deptry .

format: setup ## ruff: repair what can be repaired
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: setup ## mypy over both packages
	$(BIN)/mypy

walls: setup ## import-linter: who may know whom
	$(BIN)/lint-imports

app-test: setup ## The App in headless Chromium
	$(BIN)/python -m pytest -m app --reruns 2 --reruns-delay 5 $(PARALLEL)

docs: setup ## The documentation site, in build/site
	S3FO_RUN_NOTEBOOKS=1 NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

benchmark: setup ## Short forms of the speed benchmarks
	$(BIN)/python -m benchmarks.attributes --short
	$(BIN)/python -m benchmarks.memory --short
	$(BIN)/python -m benchmarks.inference --short
	$(BIN)/python -m benchmarks.panels --short

clean: ## Remove the virtual environment and the demo's output
	rm -rf $(VENV) demo

faults: setup ## Fault injection, the long form: kills, full disks, several at once
	S3FO_FAULTS=long $(BIN)/python -m pytest tests/faults -q
