#!/bin/sh
# RUSTC_WORKSPACE_WRAPPER of the tests: compiles this crate with counters of what runs (docs/decisions/0027). Cargo
# holds what it builds through a workspace wrapper apart, and shares the dependencies, polars among them.
case " $* " in
    *" --crate-name drugs_rs "*) exec "$@" -C instrument-coverage ;;
    *) exec "$@" ;;
esac
