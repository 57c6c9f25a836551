#!/usr/bin/env bash
# Builds the API server of Kubernetes and its etcd into a cache folder, for test/independent/cluster.py, and prints only that folder.
# KUBERNETES_VERSION chooses another release. Needs Go ≥ 1.26, some gigabytes of disk and about 10 minutes of CPU, once.
set -euo pipefail
version=${KUBERNETES_VERSION:-v1.37.2}
bin=${XDG_CACHE_HOME:-$HOME/.cache}/mlflow-monitor/bin/kubernetes-$version
if [ -x "$bin/kube-apiserver" ]; then
  echo "$bin"
  exit 0
fi
command -v go >/dev/null || { echo 'Kubernetes needs Go 1.26 or newer on PATH: https://go.dev/dl' >&2; exit 1; }
module=$(mktemp -d)
trap 'rm -rf "$module"' EXIT
cd "$module"
export GOFLAGS=-mod=mod CGO_ENABLED=0
go mod download "k8s.io/kubernetes@$version"
source=$(go mod download -json "k8s.io/kubernetes@$version" | sed -n 's/.*"GoMod": "\(.*\)",/\1/p')

# The go.mod of Kubernetes takes its libraries from a folder that the module does not contain. They are published too: v1.x.y as v0.x.y.
{
  echo 'module example.com/cluster'
  grep -E '^(go|godebug) ' "$source"
  echo "require k8s.io/kubernetes $version"
  sed -nE "s|^\s*(k8s.io/\S+) => ./staging/.*|replace \1 => \1 v0${version#v1}|p" "$source"
} >go.mod

linked='k8s.io/component-base/version'
flags="-s -w -X $linked.gitVersion=$version -X $linked.gitMajor=1 -X $linked.gitMinor=$(cut -d. -f2 <<<"$version")"
mkdir -p "$bin"
go build -ldflags "$flags" -o "$bin/etcd" go.etcd.io/etcd/server/v3 >&2
go build -ldflags "$flags" -o "$bin/kube-apiserver" k8s.io/kubernetes/cmd/kube-apiserver >&2
echo "$bin"
