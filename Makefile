PYTHON ?= python3
BIN := .venv/bin

.PHONY: run test soak setup check bench fmt lock

run:            ## set up and start on http://127.0.0.1:8000
	@$(PYTHON) scripts/setup.py
	@exec $(BIN)/vault-dash serve

test:           ## set up, browser included, and run every test
	@$(PYTHON) scripts/setup.py --dev --browser
	@$(BIN)/vault-dash warmup
	@$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder

soak: setup     ## the long runs: hundreds of kills, power cuts, backups under load
	@$(PYTHON) scripts/setup.py --dev --browser
	@$(BIN)/vault-dash warmup
	@$(BIN)/python -m pytest -m soak

setup:          ## set up with the development tools
	@$(PYTHON) scripts/setup.py --dev

check: setup    ## format, lint, types, import contracts, tests
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(MAKE) --no-print-directory test

bench: setup    ## measure what docs/benchmarks.md promises
	@$(PYTHON) scripts/setup.py --dev --browser
	@$(BIN)/vault-dash warmup
	@$(BIN)/python -m benchmarks

fmt: setup      ## format and mend what can be mended
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

lock: setup     ## resolve the dependencies anew
	@$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --upgrade --group build pyproject.toml -o requirements.lock
	@$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --upgrade --group build --group dev -c requirements.lock pyproject.toml -o requirements-dev.lock
