# Two commands do everything: `make run` and `make test`. `make help` lists the rest.

# The first of these that is new enough makes the environment; PYTHON=/path/to/python3.12 names another.
PYTHON ?= python3 python3.13 python3.12 python3.11
PORT ?= 8000
DATA ?= $(CURDIR)/data
export DATA

VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed-run
INSTALLED_DEV := $(VENV)/.installed-dev
PYTEST := $(BIN)/python -m pytest

# The first of some commands that is Python 3.11 or newer, or nothing.
suitable = $(shell for one in $(1); do $$one -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& echo $$one && break; done)

.DEFAULT_GOAL := help

include d1backend/local/d1.mk
include tests/browser/browser.mk
include benchmarks/bench.mk

.PHONY: help
help: ## List these commands
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "%-20s%s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(BIN)/python:
	$(if $(call suitable,$(PYTHON)),,$(error Design Gallery needs Python 3.11 or newer, and "$(PYTHON)" names none: \
	install one, or run make with PYTHON=/path/to/python3.12))
	$(call suitable,$(PYTHON)) -m venv $(VENV)

$(INSTALLED): requirements.txt constraints.txt | $(BIN)/python
	$(if $(call suitable,$(BIN)/python),,$(error $(VENV) was made with a Python older than 3.11: \
	remove that folder and run make again))
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(INSTALLED_DEV): requirements-dev.txt requirements.txt constraints.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@ $(INSTALLED)

.PHONY: install
install: $(INSTALLED)

.PHONY: install-dev
install-dev: $(INSTALLED_DEV)

.PHONY: run
run: install ## Serve the gallery on PORT (8000), with all its data in DATA (./data)
	@$(BIN)/python manage.py migrate --verbosity 0
	@$(BIN)/python manage.py start_demo --port $(PORT)
	@exec $(BIN)/gunicorn --config gunicorn.conf.py --bind 127.0.0.1:$(PORT) gallery_project.wsgi

.PHONY: test
test: install-dev ## Run the tests on the embedded default (SQLite, a folder of images)
	$(PYTEST) tests --ignore tests/d1 -n 2 -m "not browser" $(ARGS)

.PHONY: test-wire
test-wire: $(INSTALLED_BENCH) ## Attack gunicorn on the wire: early answers, slow clients, restarts (CHECKS="slow spread")
	@$(BIN)/python -m tests.wire $(CHECKS)

.PHONY: test-prod-like
test-prod-like: install-dev d1-engine ## Break each setting of a service as in production: the start or the doctor must name it
	PROD_LIKE=1 $(PYTEST) tests/e2e/test_prod_like.py $(ARGS)

.PHONY: schemathesis
schemathesis: install-dev ## Attack the API by its OpenAPI document (GETS=2000, EXAMPLES=200, PARTS="auth designs", ONLY="^POST", RESUME=1)
	@$(BIN)/python -m tests.openapi $(if $(GETS),--gets $(GETS)) $(if $(EXAMPLES),--examples $(EXAMPLES)) \
		$(if $(PARTS),--parts "$(PARTS)") $(if $(ONLY),--only "$(ONLY)") $(if $(RESUME),--resume) $(ARGS)

# What is too slow for each change. All of them run, whatever fails.
NIGHTLY ?= test-d1 test-browser test-prod-like test-wire schemathesis faults soak conformance search-quality \
	bench-memory bench-cold bench-bill bench-backup
.PHONY: nightly
nightly: export MINUTES := $(or $(MINUTES),60)
nightly: ## Run the slow tests and measurements, for hours (NIGHTLY="test-wire faults")
	@failed=; for one in $(NIGHTLY); do $(MAKE) --no-print-directory $$one || failed="$$failed $$one"; done; \
		[ -z "$$failed" ] || { echo "Failed:$$failed" >&2; exit 1; }

.PHONY: run-d1
run-d1: install-dev d1-engine ## Like `run`, on D1's own engine and an S3 server on this machine
	@$(BIN)/python -m devtools.local_cloud $(MAKE) --no-print-directory run PORT=$(PORT) DATA=$(DATA)

.PHONY: run-prod-like
run-prod-like: install-dev d1-engine ## Serve as in production: gunicorn as shipped, TLS, D1's engine with its allowance, an S3 server
	@$(BIN)/python -m devtools.prod_like

.PHONY: test-d1backend
test-d1backend: install-dev d1-engine ## Run d1backend's tests, and those of what the gallery's calls cost on D1
	$(PYTEST) tests/d1 --ds tests.d1.settings -n 2 $(ARGS)
	TEST_ENGINE=d1 $(PYTEST) tests/api/test_billed_rows.py tests/api/test_idempotency.py tests/api/test_*_round_trips.py \
		-n 2 $(ARGS)

.PHONY: test-d1
test-d1: install-dev d1-engine ## Run all of the gallery's tests on D1's own engine
	TEST_ENGINE=d1 $(PYTEST) tests --ignore tests/d1 -n 2 -m "not browser" $(ARGS)

.PHONY: lint
lint: install-dev ## Format and type checks
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy .

.PHONY: format
format: install-dev ## Format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

.PHONY: check-alerts
check-alerts: ## Check the alerts in docs/alerts.yml and run their tests, by promtool
	@command -v promtool > /dev/null || { echo "promtool is missing. It comes with Prometheus: apt-get install prometheus \
	(Debian, Ubuntu), brew install prometheus (macOS), or https://prometheus.io/download/" >&2; exit 1; }
	@promtool check rules docs/alerts.yml
	@promtool test rules tests/alerts/alerts.test.yml

.PHONY: structure
structure: install-dev ## Print import rings, upward imports and the files of a facet field (TREE=)
	@$(BIN)/python -m devtools.structure $(TREE)

.PHONY: openapi
openapi: install ## Write the OpenAPI document to openapi.json
	@$(BIN)/python manage.py spectacular --format openapi-json --file openapi.json

.PHONY: lock
lock: install-dev ## Write requirements.lock: what production installs, with hashes
	@UV_CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/uv pip compile --quiet --universal --python-version 3.11 \
		--generate-hashes --no-annotate --no-emit-index-url --output-file requirements.lock requirements.txt

.PHONY: audit
audit: install-dev ## Look for known vulnerabilities of what production installs (status 3: no source to ask)
	@$(BIN)/python -m devtools.audit

.PHONY: released-api
released-api: install-dev ## Write docs/released-api.json: the API's document, with which the next release is compared
	@$(BIN)/python -m devtools.api_changes

.PHONY: release-check
release-check: install-dev ## Check that this commit can be released: version, changelog, migrations, locks, API
	@$(BIN)/python -m devtools.release_check

.PHONY: bench-images
bench-images: install ## Time and memory of uploads, bytes of a page of pictures (OUT= for JSON)
	@OUT="$(OUT)" $(BIN)/python benchmarks/images.py

.PHONY: bench-memory
bench-memory: install-dev ## Memory of two workers at rest and attacked with pictures, and of each kind (SIZE=, MEGAPIXELS=)
	@SIZE="$(SIZE)" $(BIN)/python -m benchmarks.memory
	@MEGAPIXELS="$(MEGAPIXELS)" $(BIN)/python -m benchmarks.picture_kinds

.PHONY: bench-dashboard
bench-dashboard: install-dev ## Cost of the dashboard with 100,000 designs (DESIGNS=, COUNTS=, TEST_ENGINE=d1, OUT=)
	@DESIGNS="$(DESIGNS)" COUNTS="$(COUNTS)" OUT="$(OUT)" $(BIN)/python benchmarks/dashboard.py
