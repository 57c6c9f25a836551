#!/usr/bin/env bash
# Builds versitygw, the S3 server of the tests, into the cache where test/support/s3-server.ts finds it. Needs Go ≥ 1.25.
set -euo pipefail
version=v1.8.0
bin=${XDG_CACHE_HOME:-$HOME/.cache}/mlflow-monitor/bin
if go version -m "$bin/versitygw" 2>/dev/null | grep -q "versitygw[[:space:]]$version"; then
  echo "versitygw $version is there already"
  exit 0
fi
mkdir -p "$bin"
GOBIN=$bin go install "github.com/versity/versitygw/cmd/versitygw@$version"
echo "versitygw $version is in $bin"
