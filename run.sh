#!/bin/sh
# Sets the project up and runs it. Needs python3 (3.11 or newer) with venv or pip, and a package index; nothing else.
#
#   ./run.sh demo     install what the product needs, build the Japan case in ./watchfloor-demo and show it
#   ./run.sh test     install everything, then lint, types and the whole test suite
#   ./run.sh setup    install everything, run nothing
#   ./run.sh check    lint and types only
#   ./run.sh bench    compare the engine with other tools, in an environment of its own; benchmarks/results.md
#   ./run.sh lock     write the lock files anew from pyproject.toml
#
# What follows the word is handed on: ./run.sh demo /tmp/japan, ./run.sh test -k ledger, ./run.sh bench small.
set -eu
cd "$(dirname "$0")"
export UV_PYTHON_DOWNLOADS=never # the interpreter is the one that is here
PY=${PYTHON:-python3}
UV_VERSION=0.13.9
uv=.tools/bin/uv
word=${1:-help}
[ $# -eq 0 ] || shift

need_python() {
    "$PY" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null ||
        { echo "run.sh: Python 3.11 or newer is needed; name it with PYTHON=/path/to/python3" >&2; exit 2; }
}

need_uv() {
    need_python
    if ! "$uv" --version >/dev/null 2>&1; then
        rm -rf .tools
        { "$PY" -m venv .tools >/dev/null 2>&1 && .tools/bin/python -m pip install -q "uv==$UV_VERSION"; } ||
            { rm -rf .tools; "$PY" -m pip install -q --target .tools "uv==$UV_VERSION"; }
    fi
    "$uv" venv --quiet --allow-existing --python "$PY" .venv
}

install_product() {
    need_uv
    "$uv" pip install --quiet --compile-bytecode --python .venv --require-hashes -r requirements.lock
    "$uv" pip install --quiet --python .venv --no-deps --editable .
}

install_all() {
    need_uv
    "$uv" pip sync --quiet --compile-bytecode --python .venv --require-hashes requirements-dev.lock
    "$uv" pip install --quiet --python .venv --no-deps --editable .
}

install_bench() {
    need_uv
    "$uv" venv --quiet --allow-existing --python "$PY" .venv-bench
    "$uv" pip sync --quiet --compile-bytecode --python .venv-bench --require-hashes requirements-bench.lock
    "$uv" pip install --quiet --python .venv-bench --no-deps --editable .
}

check() {
    .venv/bin/ruff check .
    .venv/bin/ruff format --check .
    .venv/bin/mypy
}

case $word in
demo) install_product; exec .venv/bin/forecast demo "$@" ;;
setup) install_all; echo "ready: . .venv/bin/activate" ;;
check) install_all; check ;;
test) install_all; check; exec .venv/bin/python -m pytest -n 2 "$@" ;;
bench)
    install_bench
    export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 # threads that wait for each other would be what is measured
    exec .venv-bench/bin/python -m benchmarks "$@"
    ;;
lock)
    need_uv
    "$uv" pip compile pyproject.toml --extra web --universal --generate-hashes --no-emit-index-url --no-header -q --upgrade -o requirements.lock
    "$uv" pip compile pyproject.toml --group dev --universal --generate-hashes --no-emit-index-url --no-header -q --upgrade -o requirements-dev.lock
    "$uv" pip compile pyproject.toml --group bench -c requirements-dev.lock --universal --generate-hashes --no-emit-index-url --no-header -q --upgrade -o requirements-bench.lock
    ;;
*) sed -n '2,11s/^# \{0,1\}//p' run.sh ;;
esac
