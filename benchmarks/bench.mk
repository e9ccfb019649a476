# The benchmarks of speed; included by the main Makefile. docs/performance.md explains what they measure.
INSTALLED_BENCH := $(VENV)/.installed-bench
SIZE ?=
DURATION ?=
WORKLOADS ?=
SPEED ?=
BASE ?=
PAIRS ?=
CONNECTIONS ?=
SYSTEMS ?=
SCENARIOS ?=
ROUNDS ?=
SEED ?=
DETAIL ?=
FAVOURITES ?=
MINUTES ?=

.PHONY: bench bench-backup bench-bill bench-cold bench-pairs bench-search bench-traffic bench-scale search-quality soak

$(INSTALLED_BENCH): benchmarks/requirements.txt constraints.txt $(INSTALLED_DEV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r benchmarks/requirements.txt
	@touch $@

bench: $(INSTALLED_BENCH) d1-engine ## Requests per second and round trips, compared with a peer (SIZE=, WORKLOADS=, OUT= for JSON)
	@SIZE="$(SIZE)" DURATION="$(DURATION)" WORKLOADS="$(WORKLOADS)" OUT="$(OUT)" $(BIN)/python -m benchmarks.bench

bench-pairs: $(INSTALLED_BENCH) d1-engine ## The speed of this tree and of another commit, in pairs of runs (BASE=, PAIRS=)
	@SIZE="$(SIZE)" DURATION="$(DURATION)" WORKLOADS="$(WORKLOADS)" BASE="$(BASE)" PAIRS="$(PAIRS)" \
		CONNECTIONS="$(CONNECTIONS)" SYSTEMS="$(SYSTEMS)" $(BIN)/python -m benchmarks.pairs

bench-traffic: $(INSTALLED_BENCH) d1-engine ## Ten minutes of 1,000 users within D1's quota (SPEED=)
	@SIZE="$(SIZE)" SPEED="$(SPEED)" $(BIN)/python -m benchmarks.traffic

bench-scale: $(INSTALLED_BENCH) ## The same requests with 1,000, 10,000 and 100,000 designs (SIZE=, OUT=)
	@SIZE="$(SIZE)" OUT="$(OUT)" $(BIN)/python -m benchmarks.scale

bench-search: $(INSTALLED_BENCH) d1-engine ## CPU of searches and facets, on SQLite and from the copy (SIZE=, ROUNDS=, OUT=)
	@SIZE="$(SIZE)" ROUNDS="$(ROUNDS)" OUT="$(OUT)" $(BIN)/python -m benchmarks.search

bench-cold: $(INSTALLED_BENCH) d1-engine ## New hosts, outages of D1 and migrations within its quota (SIZE=, SCENARIOS=, DURATION=, OUT=)
	@SIZE="$(SIZE)" DURATION="$(DURATION)" SCENARIOS="$(SCENARIOS)" OUT="$(OUT)" $(BIN)/python -m benchmarks.cold

bench-backup: $(INSTALLED_BENCH) d1-engine ## A backup of a large gallery on D1, and its restore (SIZE=, FAVOURITES=, OUT=)
	@SIZE="$(SIZE)" FAVOURITES="$(FAVOURITES)" OUT="$(OUT)" $(BIN)/python -m benchmarks.backup

bench-bill: $(INSTALLED_BENCH) d1-engine ## Rows and dollars of a month at Cloudflare, by users and hosts (SIZE=, OUT=)
	@SIZE="$(SIZE)" OUT="$(OUT)" $(BIN)/python -m benchmarks.bill

search-quality: install-dev ## How well searches find what people mean, with and without synonyms (SIZE=, SEED=, DETAIL=1)
	@SIZE="$(SIZE)" SEED="$(SEED)" DETAIL="$(DETAIL)" $(BIN)/python -m benchmarks.search_quality

soak: $(INSTALLED_BENCH) d1-engine ## A service as in production under load while D1, the store, workers and itself fail (MINUTES=, SIZE=, OUT=)
	@SIZE="$(SIZE)" MINUTES="$(MINUTES)" OUT="$(OUT)" $(BIN)/python -m benchmarks.soak
