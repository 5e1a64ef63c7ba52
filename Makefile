# Everything a newcomer needs: make demo, make test. The environment lives in .venv.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: demo test test-schedule browser lint bench mutants definitions languages schema lock clean

demo: .venv/demo.done
	$(BIN)/rapport demo rapport-demo

test: .venv/test.done browser
	$(MAKE) --no-print-directory lint
	$(BIN)/python -m pytest -n 2 --dist loadfile

# Waits some minutes for really scheduled runs on a real Prefect server.
test-schedule: .venv/test.done
	$(BIN)/python -m pytest --scheduled tests/nightly/test_schedule.py

# The browser tests need Debian's Chromium. Where it cannot be installed, pytest says that they did not run.
browser:
	@test -x /usr/bin/chromium || { test "$$(id -u)" = 0 && command -v apt-get >/dev/null \
	  && apt-get -qq update && apt-get -qq install --yes --no-install-recommends chromium; } \
	  || echo 'no Chromium, and it cannot be installed here: the browser tests will say so'

lint: .venv/test.done
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/basedpyright
	$(BIN)/sqlfluff lint sql
	$(BIN)/lint-imports

bench: .venv/test.done
	$(BIN)/python -m tests.benchmark
	$(BIN)/python -m tests.benchmark.hazard

# Breaks every instrument file in every way it can be broken, and names what no check notices.
mutants: .venv/test.done
	$(BIN)/python -m tests.instruments.mutants

# Enters new and raised definitions into tests/sql/definitions.lock; refuses one that changed under its version.
definitions: .venv/test.done
	$(BIN)/python -m tests.sql.definitions

# Enters new texts into reports/languages/*.po, takes out those that are gone, and says what is untranslated.
languages: .venv/test.done
	$(BIN)/python -m tests.languages.catalogue

schema: .venv/demo.done
	$(BIN)/python -m schemas.instrument_schema > .venv/instrument.schema.json
	mv .venv/instrument.schema.json schemas/instrument.schema.json

.venv/bin/python:
	$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11) and 'Rapport needs Python 3.11 or newer')"
	$(PYTHON) -m venv .venv

.venv/demo.done: requirements.lock pyproject.toml | .venv/bin/python
	$(PIP) install --require-hashes -r requirements.lock
	$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

.venv/test.done: tests/requirements.lock .venv/demo.done
	$(PIP) install --require-hashes -r tests/requirements.lock
	@touch $@

# Needs uv. pip checks hashes by name with extras and without, so a package locked with an extra is listed both ways.
LOCK := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate
lock:
	$(LOCK) --extra build pyproject.toml -o requirements.lock
	$(LOCK) --extra build --extra test -c requirements.lock pyproject.toml -o tests/requirements.lock
	perl -0pi -e 's/^(sqlalchemy)(==.*?)(?=^\S)/$$1$$2$$1\[asyncio]$$2/ms; s/\\\[asyncio\]/[asyncio]/g' requirements.lock tests/requirements.lock

clean:
	rm -rf .venv rapport-demo
