# The tests in a real browser; included by the main Makefile.
CHROMIUM ?= chromium
SHOTS ?= .cache/shots

export CHROMIUM

.PHONY: chromium
chromium:
	@if command -v "$(CHROMIUM)" >/dev/null; then :; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		apt-get update -qq && apt-get install -qq --no-install-recommends chromium; \
	else \
		echo "There is no Chromium here: install it (on Debian as root: apt-get install chromium)" \
			"or name one: make test-browser CHROMIUM=/path/to/chromium" >&2; exit 1; \
	fi

.PHONY: test-browser
test-browser: install-dev d1-engine chromium ## Drive the console in Chromium, on SQLite and on D1 (SHOTS=, CHROMIUM=)
	SHOTS=$(SHOTS)/sqlite $(PYTEST) tests/browser -m browser -n 2 $(ARGS)
	TEST_ENGINE=d1 SHOTS=$(SHOTS)/d1 $(PYTEST) tests/browser -m browser -n 2 $(ARGS)
