#!/bin/sh
# Creates a virtual environment with MLflow, DuckDB, statsmodels, Schemathesis, Helm's library and the schemas of Kubernetes unless it exists; prints only the path of its mlflow program.
set -eu
venv="${MLFLOW_VENV:-$HOME/.cache/mlflow-monitor/venv}"

if ! { [ -x "$venv/bin/mlflow" ] && [ -x "$venv/bin/schemathesis" ] && "$venv/bin/python" -c 'import duckdb, helm_python, kubernetes_validate, mlflow.version, statsmodels'; } 2>/dev/null; then
  {
    if ! python3 -c 'import ensurepip, venv' 2>/dev/null; then
      if ! command -v apt-get >/dev/null; then
        echo "python3 cannot create virtual environments: install its venv module"
        exit 1
      fi
      root=''
      [ "$(id -u)" = 0 ] || root=sudo
      $root apt-get update -q
      DEBIAN_FRONTEND=noninteractive $root apt-get install -qy --no-install-recommends python3-venv
    fi
    mkdir -p "$(dirname "$venv")"
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check 'mlflow>=3,<4' 'duckdb>=1.4' 'statsmodels>=0.14' 'schemathesis>=4,<5' 'helm-python-sdk==0.2.2' 'kubernetes-validate==1.37.0'
  } >&2
fi
echo "$venv/bin/mlflow"
