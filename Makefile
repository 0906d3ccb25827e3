# Every chore of this repository. `make` alone lists them.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help demo test check soak bench

# One target folder for every checkout, outside of it, so that a fresh clone does not build the world again.
CARGO_TARGET_DIR ?= $(HOME)/.cache/dunlin/target
export CARGO_TARGET_DIR

# Crash tests die at named places; everything but the demo and the release is built with them, so that `check` and
# `test` share what they build.
FEATURES := --features dunlin/failpoints
NEXTEST := $(shell cargo nextest --version >/dev/null 2>&1 && echo yes)
PROFILE := $(if $(CI),--profile ci,)

help: ## list what can be made
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 14

demo: ## make a dirty legacy CRM, migrate it, verify it, write the report (into ./dunlin-demo)
	@if [ -x "$$CARGO_TARGET_DIR/demo/dunlin" ]; then echo 'This takes less than half a minute, unless the code has changed.'; \
	  else echo 'The first time this builds for 10 minutes or more on 2 cores; again it takes less than half a minute.'; fi
	@scripts/part 'build the web app' scripts/web-build.sh
	@scripts/part 'build the demo' cargo build --profile demo -p dunlin
	@scripts/part 'demo' scripts/demo.sh "$$CARGO_TARGET_DIR/demo/dunlin"

test: ## every test, with a PostgreSQL of its own and a browser (installed through apt where they are missing)
	@scripts/part 'PostgreSQL at hand' scripts/need-postgres.sh
	@scripts/part 'Chromium at hand' scripts/need-chromium.sh
	@scripts/part 'build the web app' scripts/web-build.sh
	@command -v go >/dev/null || echo 'Go is not here: the ledger is not checked against x/mod/sumdb (apt-get install golang-go golang-golang-x-mod-dev)'
ifeq ($(NEXTEST),yes)
	@scripts/part 'build the tests' cargo nextest run --workspace $(FEATURES) --no-run
	@scripts/part 'tests' scripts/with-postgres.sh cargo nextest run --workspace $(FEATURES) $(PROFILE)
else
	@echo 'cargo-nextest is not here: cargo test does it, one test after another, as failpoints hold for a whole process'
	@scripts/part 'build the tests' cargo test --workspace $(FEATURES) --lib --bins --tests --no-run
	@scripts/part 'tests' scripts/with-postgres.sh cargo test --workspace $(FEATURES) --lib --bins --tests --no-fail-fast -- --test-threads=1
endif
	@scripts/part 'requests generated from the API' scripts/schemathesis.sh
	@scripts/part 'what must not compile' cargo test --doc -p dunlin-gate
	@scripts/part 'the web app in a browser' scripts/web-test.sh

check: ## format, lints, unit tests: minutes, before every commit
	@scripts/part 'format' cargo fmt --all --check
	@scripts/part 'lints' cargo clippy --workspace --all-targets $(FEATURES) -- -D warnings
ifeq ($(NEXTEST),yes)
	@scripts/part 'unit tests' cargo nextest run --workspace --lib --bins $(FEATURES)
else
	@scripts/part 'unit tests' cargo test --workspace --lib --bins $(FEATURES)
endif

soak: ## kill -9 fifty times a kind of target, other faults twenty times, deletions at sixty moments; an hour at most, never in CI
	@scripts/part 'PostgreSQL at hand' scripts/need-postgres.sh
	@EXAMPLES=300 scripts/part 'requests generated from the API' scripts/schemathesis.sh
ifeq ($(NEXTEST),yes)
	@scripts/part 'build the tests' cargo nextest run --workspace $(FEATURES) --no-run
	@DUNLIN_SOAK=50 scripts/part 'soak' scripts/with-postgres.sh timeout 3000 cargo nextest run --workspace $(FEATURES) --run-ignored only --no-capture -E 'test(/soak/)'
else
	@scripts/part 'build the tests' cargo test --workspace $(FEATURES) --tests --no-run
	@DUNLIN_SOAK=50 scripts/part 'soak' scripts/with-postgres.sh timeout 3000 cargo test --workspace $(FEATURES) --tests soak -- --ignored --nocapture --test-threads=1
endif

bench: ## measure dunlin beside its floors in the same run; prints a Markdown table (see bench/README.md)
	@bench/run.sh
