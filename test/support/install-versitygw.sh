#!/usr/bin/env bash
# Builds versitygw, the S3 server of the tests, into the cache folder that test/support/s3-server.ts searches. Needs Go ≥ 1.25.
set -euo pipefail
version=v1.8.0
bin=${XDG_CACHE_HOME:-$HOME/.cache}/mlflow-monitor/bin
if go version -m "$bin/versitygw" 2>/dev/null | grep -q "versitygw[[:space:]]$version"; then
  echo "versitygw $version is already installed"
  exit 0
fi
command -v go >/dev/null || { echo 'versitygw needs Go 1.25 or newer on PATH: https://go.dev/dl' >&2; exit 1; }
mkdir -p "$bin"
GOBIN=$bin go install "github.com/versity/versitygw/cmd/versitygw@$version"
echo "Installed versitygw $version into $bin"
