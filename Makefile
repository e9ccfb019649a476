# Two commands do everything: `make run` and `make test`. `make help` lists the rest.

PYTHON ?= python3
PORT ?= 8000
DATA ?= $(CURDIR)/data
export DATA

VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed-run
INSTALLED_DEV := $(VENV)/.installed-dev
PYTEST := $(BIN)/python -m pytest

.DEFAULT_GOAL := help

.PHONY: help
help: ## List these commands
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 20

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(INSTALLED): requirements.txt constraints.txt | $(BIN)/python
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
	$(PYTEST) tests -n 2 -m "not browser" $(ARGS)

.PHONY: lint
lint: install-dev ## Format and type checks
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy .

.PHONY: format
format: install-dev ## Format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

.PHONY: openapi
openapi: install ## Write the OpenAPI document to openapi.json
	@$(BIN)/python manage.py spectacular --format openapi-json --file openapi.json
