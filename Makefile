# Every target does all the set-up that it needs, on a machine that has Python, make and git.
PYTHON ?= python3
LETHE_VENV ?= .venv
BIN := $(LETHE_VENV)/bin
READY := $(LETHE_VENV)/.ready
# One thread per process: two busy OpenMP pools on two cores slow each other down many times over.
export OMP_NUM_THREADS ?= 1
# Tools for releases, in an environment of their own: their dependencies are none of Lethe's.
TOOLS ?= .venv-tools
# The stages that DVC starts are this environment's.
export PATH := $(abspath $(BIN)):$(PATH)
# The core alone on another machine's own Python, which has torch, torchvision, pydantic and pytest:
# make test-gpu GPU_PYTHON=python3
GPU_PYTHON ?= $(BIN)/python
GPU_READY := $(if $(filter $(BIN)/python,$(GPU_PYTHON)),$(READY))

# Files in the order of their names: by the number of their tests, as is usual, those of a few long tests would
# come last, and one process would wait for the other.
PARALLEL := -n 2 --dist loadfile --no-loadscope-reorder

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-long test-attacks test-slow test-gpu test-browser test-services test-cluster test-wheel check lock audit sbom ui bench bench-evidence bench-calibrated bench-metrics bench-cifar10 bench-services bench-startup bench-tombstones bench-ledger bench-purge bench-cluster bench-gpu docs clean

help: ## Show this list.
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

setup: $(READY) ## Make the virtual environment.

$(READY): pyproject.toml constraints.txt
	@echo "Installing Lethe into $(LETHE_VENV); torch and its libraries are several gigabytes, so this takes minutes."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(LETHE_VENV)
	@{ $(BIN)/python -m pip install --progress-bar off --constraint constraints.txt --editable '.[dev]' 2>&1; echo "ended with $$?"; } \
		| tee $(LETHE_VENV)/install.log | sed -u -n -e 's/^Collecting \([A-Za-z0-9._-]*\).*/  \1/p' -e 's/^Installing collected.*/  putting all in their place/p'
	@grep -qx 'ended with 0' $(LETHE_VENV)/install.log \
		|| { tail -n 40 $(LETHE_VENV)/install.log; echo "The whole log is in $(LETHE_VENV)/install.log"; exit 1; }
	@touch $@

demo: $(READY) ## Watch a real model forget, from request to signed certificate.
	@lethe demo

test: $(READY) ## Run the fast tests.
	@python -m pytest $(PARALLEL)

test-long: $(READY) ## Run the tests that serve several deletions each; minutes.
	@python -m pytest $(PARALLEL) -m "long and not slow"

test-attacks: $(READY) ## Run the fast tests that docs/threat-model.md names: each attack that was tried.
	@python -m pytest $(PARALLEL) $$(grep -oE 'tests/[a-z_/]+(\.py)?' docs/threat-model.md | sort -u)

test-slow: $(READY) ## Run the tests that train for minutes.
	@python -m pytest -m slow

test-gpu: $(GPU_READY) ## Test the core on an accelerator; without one, a dry run on the CPU.
	@$(GPU_PYTHON) -m pytest -m gpu --confcutdir=tests/gpu tests/gpu

test-browser: $(READY) ## Open a report in Chromium, at a desk and on a phone; needs Debian's chromium.
	@python -m pytest -m browser tests/browser

test-services: $(READY) ## Run the tests on real servers: PostgreSQL, Prefect, MLflow; needs Debian's postgresql.
	@python -m pytest -m "services and not slow"

test-cluster: $(READY) ## Train many models on a Ray cluster of three nodes, lose one, and kill what began it; minutes.
	@python -m pytest -m cluster tests/cluster

test-wheel: $(READY) ## Build a wheel, and go from it alone to certificates, also as two pages of the docs say.
	@python -m pytest -m slow tests/flows/test_wheel.py tests/flows/test_from_nothing.py tests/flows/test_six_commands.py

check: $(READY) ## Format, lint, types, import contracts, generated files, fast tests: what CI runs.
	@ruff format --check .
	@ruff check .
	@basedpyright
	@lint-imports
	@$(MAKE) --no-print-directory test

lock: ## Write requirements.lock for production: every package with the hashes of its files; needs the network.
	@$(TOOLS)/bin/uv --version > /dev/null 2>&1 \
		|| { $(PYTHON) -m venv $(TOOLS) && $(TOOLS)/bin/python -m pip install --quiet uv pip-audit cyclonedx-bom; }
	@$(TOOLS)/bin/uv pip compile --quiet --universal --generate-hashes --no-annotate --no-emit-index-url \
		--custom-compile-command 'make lock' --constraint constraints.txt \
		--extra postgres --extra s3 --extra server --output-file requirements.lock pyproject.toml

audit: lock ## Look for known vulnerabilities in what requirements.lock names; needs the network.
	@$(TOOLS)/bin/pip-audit --require-hashes --disable-pip --requirement requirements.lock

sbom: lock ## Write sbom.json: what requirements.lock names, as CycloneDX.
	@$(TOOLS)/bin/cyclonedx-py requirements requirements.lock --output-file sbom.json

ui: $(READY) ## Open MLflow on this checkout's runs.
	@lethe ui

bench: $(READY) ## Measure quality on digits, and kernels beside their textbook forms.
	@python -m benchmarks.digits
	@python -m benchmarks.kernels
	@python -m benchmarks.streaming
	@python -m benchmarks.kept_outputs
	@python -m benchmarks.wide_layers

bench-evidence: $(READY) ## Calibrate the gate, and attack with shadow models, on digits; half an hour.
	@python -m benchmarks.calibration
	@python -m benchmarks.shadows

bench-calibrated: $(READY) ## Calibrate on digits, and judge each request without its own training; half an hour on two cores.
	@python -m benchmarks.calibrated

bench-cifar10: $(READY) ## Measure quality on CIFAR-10; needs IMAGES=folder WEIGHTS=file, and hours.
	@python -m benchmarks.cifar10 --images "$(IMAGES)" --weights "$(WEIGHTS)"

bench-metrics: $(READY) ## Measure what an evaluation sees and costs; needs IMAGES=folder WEIGHTS=file, and hours.
	@python -m benchmarks.adversaries --images "$(IMAGES)" --weights "$(WEIGHTS)"
	@python -m benchmarks.metric_costs --images "$(IMAGES)" --weights "$(WEIGHTS)"

bench-services: $(READY) ## Measure what the services cost a deletion; needs Debian's postgresql.
	@python -m benchmarks.overhead

bench-startup: $(READY) ## Measure how long each command takes to start, and to refuse.
	@python -m benchmarks.startup

bench-tombstones: $(READY) ## Measure which pictures that come back are missed; needs IMAGES=folder.
	@python -m benchmarks.tombstones "$(IMAGES)"

bench-ledger: $(READY) ## Measure the ledger with up to 100,000 requests; needs Debian's postgresql, and minutes.
	@python -m benchmarks.ledger

bench-purge: $(READY) ## Measure a purge and its proof on digits, and how the search grows; minutes.
	@python -m benchmarks.purging

bench-cluster: $(READY) ## Measure what a Ray cluster of three nodes adds to many trainings; minutes.
	@python -m benchmarks.cluster

bench-gpu: $(GPU_READY) ## Measure kernels on an accelerator; without one, a dry run on the CPU.
	@$(GPU_PYTHON) -m benchmarks.kernels --device cuda

# Beside a script in tests/ the folder tests/tasks would be found in place of the package.
docs: export PYTHONPATH := $(CURDIR)
docs: $(READY) ## Write the pages that are read off the code: settings, methods, metrics, commands, benchmarks, adversaries.
	@python tests/settings_page.py
	@python tests/methods_page.py
	@python tests/metrics_page.py
	@python tests/commands_page.py
	@python tests/benchmarks_page.py
	@python tests/adversaries_page.py

clean: ## Remove what runs have written; requests, keys and the virtual environment stay.
	rm -rf data/dataset data/split data/retained models/parent models/moments models/unlearned reports evidence
	rm -rf .lethe dvc.lock mlruns/mlflow.db mlruns/artifacts .dvc/cache .dvc/tmp
