# Everything a newcomer needs: `make run` and `make test`. The rest is for those who change the desk.
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
PIP := $(PY) -m pip install --disable-pip-version-check --quiet
PYTEST_ARGS ?= -n auto --dist loadfile
CATALOGS := $(wildcard helpdesk/locale/*/LC_MESSAGES/*.po)

.DEFAULT_GOAL := help
.PHONY: help run test check test-slow bench lint types contracts migrations messages golden clean browser catalogs

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(VENV)/.for-run catalogs ## start the desk at http://127.0.0.1:8000 (Ctrl-C stops it)
	@exec $(PY) manage.py up --end-with-parent

test: $(VENV)/.for-tests catalogs browser ## run every test but the slow ones, in a real browser too
	$(PY) -m pytest -m "not slow" $(PYTEST_ARGS)

check: lint types contracts migrations test ## what must pass before a change is merged

test-slow: $(VENV)/.for-tests catalogs browser ## run the chaos tests and long proofs
	$(PY) -m pytest -m slow -n 0

bench: $(VENV)/.for-tests catalogs browser ## measure throughput, latency, page times and memory (prints JSON)
	$(PY) -m bench

lint: $(VENV)/.for-tests ## check style and house rules
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .

types: $(VENV)/.for-tests ## check the types
	$(PY) -m mypy

contracts: $(VENV)/.for-tests ## check who may import whom
	$(VENV)/bin/lint-imports

migrations: $(VENV)/.for-tests ## check that every model change has its migration
	$(PY) -W ignore manage.py makemigrations --check --dry-run

messages: $(VENV)/.for-tests ## collect the texts to translate into the catalogs
	$(PY) manage.py messages

golden: $(VENV)/.for-tests ## write the expected results of the mail corpus anew; review the difference
	$(PY) -m tests.corpus.rewrite

clean: ## remove what is built (not .venv, never var/)
	rm -rf .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis staticfiles
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +
	find helpdesk -name '*.mo' -delete

browser: $(VENV)/.for-tests
	@$(PY) -m tests.browser --install

catalogs: $(CATALOGS:.po=.mo)

%.mo: %.po | $(VENV)/.for-run
	$(PY) manage.py messages --compile

$(VENV)/.for-run: requirements.txt | $(PY)
	@echo "Installing into $(VENV) …"
	@$(PIP) -r requirements.txt
	@touch $@

$(VENV)/.for-tests: requirements-dev.txt requirements.txt | $(PY)
	@echo "Installing into $(VENV) …"
	@$(PIP) -r requirements-dev.txt
	@touch $@ $(VENV)/.for-run

$(PY):
	@PYTHON="$(PYTHON)" VENV="$(VENV)" sh .ci/make-venv
