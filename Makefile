# Everything a newcomer needs. Plain `make` lists the targets.
PYTHON ?= python3
BIN := .venv/bin
# Where packages keep their own caches and phone-home switches: nothing here may leave the machine.
export HF_HUB_OFFLINE ?= 1
export DO_NOT_TRACK := 1

.DEFAULT_GOAL := help
.PHONY: help setup demo test check bench audit lock clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 16

setup: .venv/ready  ## set up .venv with the locked versions (a few minutes, once)

.venv/ready: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$(PYTHON) is older than 3.11: run make PYTHON=python3.11"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --disable-pip-version-check --progress-bar on -r requirements.lock -c requirements.lock
	$(BIN)/python -m pip install --disable-pip-version-check --no-deps --no-build-isolation -q -e .
	@touch $@

demo: setup  ## run the whole pipeline on datasets/demo, without a key
	$(BIN)/nl2sql evaluate datasets/demo --preset offline

test: setup  ## run all tests
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/pyright
	$(BIN)/python -m pytest -n 2 --dist loadgroup

check: setup  ## lint, format and type-check, changing nothing
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/pyright

bench: setup  ## time every step against its rivals, in one table (ten minutes)
	$(BIN)/python -m benchmarks.everything

audit: setup  ## look the locked packages up among published advisories
	$(BIN)/python .ci/audit

# No hashes: the wheel of torch differs by build (CPU, CUDA, Metal) under one version.
lock: setup  ## resolve the newest allowed versions into requirements.lock (needs uv)
	uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --no-header --no-emit-index-url \
	  $(foreach package,$(CUDA),--no-emit-package $(package)) -o requirements.lock

# torch for Linux asks for these where its build uses them; the CPU build does not, and they are gigabytes.
CUDA := cuda-bindings cuda-pathfinder cuda-toolkit nvidia-cublas nvidia-cuda-cccl nvidia-cuda-cupti nvidia-cuda-nvrtc \
  nvidia-cuda-runtime nvidia-cudnn-cu13 nvidia-cufft nvidia-cufile nvidia-curand nvidia-cusolver nvidia-cusparse \
  nvidia-cusparselt-cu13 nvidia-nccl-cu13 nvidia-nvjitlink nvidia-nvshmem-cu13 nvidia-nvtx triton httpx2-jsfetch

clean:  ## remove what runs wrote, keep .venv and the answers of models, which were paid for
	find artifacts -mindepth 1 -not -name README.md -not -path 'artifacts/model_cache*' -delete
