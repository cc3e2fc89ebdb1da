# make demo      from nothing to a generated script: environment, packages, one run (the first time compiles llama.cpp)
# make test      the tests of both distributions (installs torch)
# make lint      ruff, mypy --strict, import layers
# make bench     measurements (retrieval, start-up, generation)
# make bench-large  decoding and caches with a model of 1.5 billion random weights (needs 4 GB of disk and memory)
# make soak      10,000 scripts from a model with random weights, every one valid
# make rules     docs/rules from the rules' own texts
# make train     NAME=default MINUTES=90: the bundled model; NAME=pnr BASE=/models/…: a base model on a domain; resumable
# make ship      NAME=default: put that run's model into the bundle
# make clean     remove the environment and what was built (not .wheels: that took minutes)
#
# Variables: PYTHON, VENV, WHEELS, TORCH (what pip installs as torch), and CMAKE_ARGS from the environment for another
# llama.cpp build. For train also NUM (examples), QUANT (q4_k_m, q8_0, …), BASE (a Hugging Face folder), MINUTES, TRAIN
# (further options of `localgen-train all`).

PYTHON ?= python3
VENV ?= .venv
WHEELS ?= .wheels
TORCH ?= torch==2.13.0
NAME ?= default

BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
INSTALL := $(PIP) install --quiet --find-links $(WHEELS) --constraint constraints.txt
say = @printf '== %s\n'

.DEFAULT_GOAL := help
.PHONY: help demo test lint bench bench-large soak rules train ship clean

help:
	@sed -n '1,/^$$/s/^# \{0,1\}//p' Makefile

demo: $(VENV)/.base
	$(say) "examples/task.txt"
	@cat examples/task.txt
	$(say) "generate --instruction examples/task.txt --out -"
	@$(BIN)/generate --instruction examples/task.txt --out -

test: $(VENV)/.training
	$(say) "tests"
	@$(BIN)/python -m pytest

lint: $(VENV)/.dev
	$(say) "ruff"
	@$(BIN)/ruff check .
	$(say) "mypy --strict"
	@$(BIN)/mypy
	$(say) "import layers"
	@PYTHONPATH=training $(BIN)/lint-imports

bench: $(VENV)/.dev
	@for program in bench/*.py; do \
	    case $$program in bench/soak*|bench/mutants*|bench/memory*|bench/decoder_large*|bench/_*) continue;; esac; \
	    printf '== %s\n' "$$program"; $(BIN)/python $$program || exit 1; \
	done

bench-large: $(VENV)/.dev
	@$(BIN)/python bench/decoder_large.py

soak: $(VENV)/.dev
	@$(BIN)/python bench/soak.py

rules: $(VENV)/.base
	@for page in docs/rules/*.md; do $(BIN)/validate --explain "$$(basename "$$page" .md)" > "$$page" || exit 1; done

train: $(VENV)/.training
	@$(BIN)/localgen-train all --name $(NAME) $(if $(BASE),--base $(BASE)) $(if $(NUM),--num $(NUM)) \
	    $(if $(QUANT),--quant $(QUANT)) $(if $(MINUTES),--minutes $(MINUTES)) $(TRAIN)

ship: $(VENV)/.dev
	cp training/runs/$(NAME)/model.gguf bundle/default/model.gguf
	@$(BIN)/python -m localgen_bundle.manifest write bundle/default

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -not -path './.git/*' -prune -exec rm -rf {} +

# Each stamp is newer than what it was made from, so that a second run starts at once.
$(VENV)/.created:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo "Python 3.11 or newer is needed, this is $$($(PYTHON) --version); try: make PYTHON=python3.12 ..." >&2; exit 1; }
	$(say) "environment in $(VENV)"
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.llama: $(VENV)/.created constraints.txt bundle/compile_llama.py bundle/only_llama.cmake
	$(say) "llama.cpp (compiled once, then kept in $(WHEELS))"
	@$(BIN)/python bundle/compile_llama.py --wheels $(WHEELS) --constraints constraints.txt
	@$(INSTALL) llama-cpp-python
	@touch $@

$(VENV)/.base: $(VENV)/.llama pyproject.toml
	$(say) "localgen and the packages it needs"
	@$(INSTALL) --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.base
	$(say) "tools for development"
	@$(INSTALL) --editable '.[dev]'
	@touch $@

$(VENV)/.training: $(VENV)/.dev training/pyproject.toml
	$(say) "training distribution ($(TORCH): this may take a while)"
	@$(INSTALL) $(TORCH)
	@$(INSTALL) --editable . --editable "training[qlora]"
	@touch $@
