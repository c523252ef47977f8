# Every command of Waybill. `make` alone lists them.
PYTHON ?= python3
STAGE ?= processes
OVERLAY ?= local
TAG ?= local
DOCKER ?= docker
KUBECTL = $(BIN)/kubectl $(if $(KUBE_CONTEXT),--context '$(KUBE_CONTEXT)')
BIN := .venv/bin
RUN := $(BIN)/python
MEMBERS := $(wildcard libs/*/pyproject.toml services/*/pyproject.toml)
SERVICES := order-service user-service inventory-service
export PYTHONUNBUFFERED := 1

.DEFAULT_GOAL := help
.PHONY: help setup demo up down status logs test e2e bench check fmt lock lock-check clean images secrets deploy undeploy dev-dry scan release

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' Makefile

setup: .venv/.ready ## install the pinned, hash-checked environment into .venv

.venv/.ready: requirements/uv.txt requirements/dev.txt $(MEMBERS) pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Waybill needs Python 3.11 or newer; say make PYTHON=python3.13 (this is %s)" % sys.version.split()[0])'
	@echo "Setting up .venv ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@{ $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt && \
	   $(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes requirements/uv.txt requirements/dev.txt && \
	   $(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps $(foreach m,$(MEMBERS),-e $(dir $(m))); } 2> .venv/setup.log \
	   || { echo "setup: the locked packages cannot be installed (why: .venv/setup.log); check the network and run make again" >&2; exit 1; }
	@touch $@

demo: setup ## the whole system: start, replay orders through the gateway, audit, stop (ORDERS= PRODUCTS= LIMIT= PORT= FOR= KILL=)
	@$(RUN) -m devstack demo $(if $(ORDERS),--orders '$(ORDERS)') $(if $(PRODUCTS),--products '$(PRODUCTS)') $(if $(LIMIT),--limit '$(LIMIT)') $(if $(PORT),--port '$(PORT)') $(if $(FOR),--seconds '$(FOR)') $(if $(KILL),--kill '$(KILL)')

up: setup ## start the system and keep it running (PORT= REPLICAS="order-service/worker=2")
	@$(RUN) -m devstack up $(if $(PORT),--port '$(PORT)') $(if $(REPLICAS),--replicas '$(REPLICAS)')

down: setup ## stop the system
	@$(RUN) -m devstack down

status: setup ## what runs, where, and how much memory it takes
	@$(RUN) -m devstack status

logs: setup ## follow the logs of every process
	@$(RUN) -m devstack logs

test: setup ## unit, service and messaging tests on real PostgreSQL and Kafka
	@$(RUN) -m pytest

e2e: setup ## the whole flow, through the gateway (STAGE=processes|containers|cluster CONTROLLERS=gateway,keda)
	@$(RUN) -m pytest tests/e2e --stage '$(STAGE)' --controllers '$(CONTROLLERS)' --timeout 600

images: ## build the three services' images and waybill-e2e (TAG=local DOCKER=docker)
	@for s in $(SERVICES); do echo "== $$s:$(TAG)"; \
	  DOCKER_BUILDKIT=1 $(DOCKER) build --quiet -f services/Dockerfile --build-arg SERVICE=$$s \
	    --build-arg REVISION="$$(git rev-parse HEAD)" -t $$s:$(TAG) . || exit 1; done
	@echo "== waybill-e2e:$(TAG)"; DOCKER_BUILDKIT=1 $(DOCKER) build --quiet -f tests/e2e/Dockerfile -t waybill-e2e:$(TAG) .

dev-dry: setup ## what skaffold would build, copy and apply (PROFILE=)
	@$(RUN) tests/manifests/skaffold.py $(PROFILE)

.venv-scan/.ready: requirements/scan.txt
	@test -x .venv-scan/bin/python || $(PYTHON) -m venv --without-pip .venv-scan
	@$(BIN)/uv pip sync --quiet --python .venv-scan/bin/python --require-hashes requirements/scan.txt
	@touch $@

scan: setup .venv-scan/.ready ## checkov on overlay production, in an environment of its own, against the allow-list
	@$(RUN) tests/manifests/scan.py .venv-scan/bin/checkov

release: setup ## push the images and pin their digests in overlay production (REGISTRY= VERSION=)
	@$(RUN) -m devstack.release $(REGISTRY) $(VERSION)

secrets: setup ## make the Secrets that are missing in the current cluster (for trying out; elsewhere a vault brings them)
	@$(RUN) -m devstack.cluster_secrets

deploy: secrets ## lite and an overlay into the current cluster, in order (OVERLAY=local)
	@$(KUBECTL) apply -k deploy/configs/lite
	@$(KUBECTL) -n waybill wait deployment -l app.kubernetes.io/managed-by=waybill-lite --for=condition=Available --timeout=300s
	@$(KUBECTL) -n waybill wait job -l app.kubernetes.io/managed-by=waybill-lite --for=condition=Complete --timeout=300s
	@$(KUBECTL) -n waybill delete job -l app.kubernetes.io/component=migrate --ignore-not-found
	@$(KUBECTL) apply -k kustomize/overlays/$(OVERLAY)
	@$(KUBECTL) -n waybill rollout status deployment -l app.kubernetes.io/part-of=waybill --timeout=300s

undeploy: setup ## delete the namespace waybill and what it left outside
	@$(KUBECTL) delete namespace waybill --ignore-not-found
	@$(KUBECTL) delete priorityclass waybill --ignore-not-found

bench: setup ## a first look at speed: durable POST /orders beside pgbench of the same SQL
	@$(RUN) tests/performance/first_look.py

check: setup lock-check ## format, lint, types, walls, sizes, locks, generated files and manifests
	@$(BIN)/ruff format --check --quiet . || { echo "check: the files above are not formatted; run make fmt" >&2; exit 1; }
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@for m in $(dir $(MEMBERS)); do said=$$(cd $$m && $(CURDIR)/$(BIN)/deptry src --no-ansi 2>&1) || { echo "$$m: $$said" >&2; exit 1; }; done
	@$(RUN) -m contracts docs/events --check
	@$(RUN) -m devstack.lite deploy/configs/lite/envoy.json --check
	@$(RUN) -m pytest -q tests/architecture tests/manifests

fmt: setup ## format and mend what a machine can mend
	@$(BIN)/ruff format --quiet . && $(BIN)/ruff check --quiet --fix .
	@$(RUN) -m contracts docs/events && $(RUN) -m devstack.lite deploy/configs/lite/envoy.json

lock: ## resolve again and write requirements/*.txt and the jars' SHA-256 list
	@$(PYTHON) requirements/lock.py --write
	@$(RUN) -m devstack.jars lock

lock-check: setup ## whether the locks still fit what the members ask for
	@$(RUN) requirements/lock.py

clean: ## remove the environment, caches and data (stops the system first)
	@test ! -x $(RUN) || $(RUN) -m devstack down
	@rm -rf .venv .venv-scan .devstack .cache .mypy_cache .ruff_cache .hypothesis
