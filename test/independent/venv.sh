#!/bin/sh
# Creates a virtual environment with MLflow, DuckDB, statsmodels, Schemathesis, Helm's library, the schemas of Kubernetes and what the Python reader needs unless it exists; prints only the path of its mlflow program.
set -eu
venv="${MLFLOW_VENV:-$HOME/.cache/mlflow-monitor/venv}"

if ! { [ -x "$venv/bin/mlflow" ] && [ -x "$venv/bin/schemathesis" ] && "$venv/bin/python" -c 'import importlib.util, sys; sys.exit(not all(map(importlib.util.find_spec, sys.argv[1:])))' \
  boto3 duckdb helm_python kubernetes_validate mlflow mypy polars pytest statsmodels streamlit; } 2>/dev/null; then
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
    "$venv/bin/pip" install --quiet --disable-pip-version-check 'mlflow>=3,<4' 'duckdb>=1.4' 'statsmodels>=0.14' 'schemathesis>=4,<5' 'helm-python-sdk==0.2.2' 'kubernetes-validate==1.37.0' \
      'pandas>=2' 'pyarrow>=15' 'polars>=1' 'boto3>=1.34' 'streamlit>=1.40' 'pytest>=8' 'mypy>=1.10'
  } >&2
fi
echo "$venv/bin/mlflow"
