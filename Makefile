# `make` lists the targets. Each makes its own environment in .venv from the pinned versions, then runs one command.
PYTHON ?= python3
SNAKEMAKE = .venv/bin/snakemake
RUN = $(strip $(SNAKEMAKE) $(shell [ -t 2 ] && echo --logger rich))# with bars of progress, on a terminal
PYTEST = .venv/bin/pytest --numprocesses 2 --dist worksteal
LAID_OVER = $(if $(CONFIG),--configfile $(CONFIG))

help: ## list these targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1|/' | column -t -s '|'

quick: .venv/installed ## the whole workflow at small scale on the real MNIST, into results/quick (minutes)
	$(RUN) --configfile workflow/presets/quick.yaml

paper: .venv/installed ## every network of the paper, into results/paper (three hours on two cores)
	$(RUN)

resume: .venv/installed ## go on with a run that was killed: the paper's, or make resume CONFIG=workflow/presets/quick.yaml
	$(SNAKEMAKE) --unlock $(LAID_OVER)
	$(RUN) $(LAID_OVER)

status: .venv/installed ## how many files of each rule are finished, missing and out of date; takes CONFIG, too
	@$(SNAKEMAKE) --summary $(LAID_OVER) | awk -F '\t' 'NR > 1 { print ($$3 ~ /^fig/ ? "figures" : $$3) ": " \
		($$5 == "missing" ? "missing" : $$6 == "no update" ? "finished" : "out of date") }' | sort | uniq -c

report: .venv/installed ## the paper, and one HTML page with its figures, scorecard and run times, results/paper/report.html
	$(RUN) all provenance --report-after-run --report results/paper/report.html

verify: .venv/installed ## compare a run with the published one, or a part of it: make verify CONFIG=mine.yaml; makes what it lacks
	$(RUN) verify $(LAID_OVER)
	@report=$$($(SNAKEMAKE) verify --summary $(LAID_OVER) 2>/dev/null | awk '$$1 ~ /verification.txt$$/ { print $$1 }'); \
		cat "$$report" && grep -q '^PASSED' "$$report"

published: .venv/installed ## all figures and the scorecard from the published tables, into results/redrawn (a minute)
	$(RUN) --configfile workflow/presets/published.yaml

sensitivity: .venv/installed ## what one choice at a time does to the headline numbers, into results/sensitivity (minutes)
	$(RUN) figsensitivity --configfile workflow/presets/sensitivity.yaml

test: .venv/dev ## all tests but those of the next four targets (minutes)
	$(PYTEST)

test-faults: .venv/dev ## runs that are killed, moved and fed rubbish (minutes)
	$(PYTEST) tests/faults

test-slurm: .venv/slurm ## the profiles for clusters, on a Slurm of one node that is installed here (Debian, as root; minutes)
	.venv/bin/pytest -m slurm tests/slurm

test-snakemake: .venv/oldest/installed ## the tests of the workflow, on the oldest Snakemake that it takes (minutes; needs a network)
	.venv/oldest/bin/pytest --numprocesses 2 --dist worksteal tests/test_workflow.py tests/test_run.py tests/test_profiles.py tests/test_insides.py

test-wheel: .venv/dev ## wheel and sdist, and what the library needs, in a fresh environment (minutes; needs a network)
	.venv/bin/pytest tests/wheel

benchmark: .venv/dev ## speed against plain loops, automatic differentiation and Leiden (minutes)
	.venv/bin/python -m benchmarks

scaling: .venv/dev ## cost of each stage against its size, into docs/scaling.csv and docs/scaling.svg (minutes)
	.venv/bin/python -m benchmarks.scaling
	.venv/bin/python -m benchmarks.scaling_figure

rulegraph: .venv/installed ## draw docs/rulegraph.svg, the picture of the rules in the documentation (needs Graphviz)
	$(SNAKEMAKE) fig3 fig5 claims --rulegraph dot | dot -Grankdir=LR -Tsvg -o docs/rulegraph.svg

docs: .venv/docs ## the documentation site, into site/ (once set up, without a network)
	NO_MKDOCS_2_WARNING=1 .venv/bin/mkdocs build --strict --quiet
	@echo "Open site/index.html; with search, python3 -m http.server -d site"

lint: .venv/dev ## style of code and workflow
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/snakefmt --check Snakefile workflow
	$(SNAKEMAKE) --lint

clean: ## remove the environment, caches, and the results of all but the paper's runs
	rm -rf .venv build site .pytest_cache .ruff_cache .hypothesis $(addprefix logs/,quick tiny redrawn) $(addprefix results/,quick tiny redrawn)

.venv/installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "This needs Python 3.11 or later, and $(PYTHON) is " + sys.version.split()[0] + ". Name one: make PYTHON=python3.13 ...")'
	$(PYTHON) -m venv --clear .venv
	.venv/bin/pip install --quiet -c constraints.txt -e ".[workflow]"
	@touch $@

.venv/dev: .venv/installed
	.venv/bin/pip install --quiet -c constraints.txt -e ".[dev]"
	@touch $@

.venv/oldest/installed: .venv/installed
	$(PYTHON) -m venv --clear .venv/oldest
	grep -v '^snakemake==' constraints.txt > .venv/oldest/constraints.txt
	.venv/oldest/bin/pip install --quiet -c .venv/oldest/constraints.txt -e ".[dev]" \
		snakemake==$$(sed -n 's/.*"snakemake>=\([0-9.]*\),.*/\1/p' pyproject.toml)
	@touch $@

.venv/slurm: .venv/dev
	.venv/bin/pip install --quiet -c constraints.txt -e ".[slurm]"
	@touch $@

.venv/docs: .venv/dev
	.venv/bin/pip install --quiet -c constraints.txt -e ".[docs]"
	@touch $@

.PHONY: help quick paper resume status report verify published sensitivity test test-faults test-slurm test-snakemake test-wheel benchmark scaling rulegraph docs lint clean
