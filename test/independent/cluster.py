"""Installs the chart on a real API server of Kubernetes with etcd, and upgrades, rolls back, removes and reinstalls it.

Usage: cluster.py FOLDER [CRDS], with the programs of test/support/install-kubernetes.sh and a folder with the CustomResourceDefinitions
of KEDA, the Prometheus Operator and the External Secrets Operator, from their releases. Without it, objects of operators are left out.
Needs Helm's library (test/independent/venv.sh), openssl, and kubectl for the kustomize bases.

There is no scheduler, controller or kubelet: nothing runs. What the API server decides is real: schemas, validation, fields that do not
exist, server-side apply, admission of pods by the Pod Security Standard "restricted".
"""

import json
import os
import pathlib
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

import helm_python as helm
import yaml

CHART = "deploy/helm/mlflow-monitor"
SETS = ["single", "single-bucket", "roles", "full"]
# What no set of the chart has, by the set that it is added to.
MORE = {"roles": {"autoscaling": {"enabled": True}}}
OPERATORS = ["keda", "serviceMonitor", "prometheusRule", "externalSecrets"]
RELEASE = "mlflow-monitor"
START_S = 120
TOKEN = "test"
RESTRICTED = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ["enforce", "warn", "audit"]}
# The certificate is created by the server for this run.
TLS = ssl._create_unverified_context()


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Cluster:
    """An API server and etcd on loopback ports."""

    def __init__(self, programs, folder):
        peer, client, self.port = free_port(), free_port(), free_port()
        etcd = f"http://127.0.0.1:{client}"
        key = folder / "service-account.key"
        subprocess.run(["openssl", "genrsa", "-out", key, "2048"], check=True, capture_output=True)
        (folder / "tokens.csv").write_text(f'{TOKEN},admin,admin,"system:masters"\n')
        self.log = open(folder / "log", "w+")
        self.processes = [
            self.start([
                programs / "etcd", "--data-dir", folder / "etcd", "--listen-client-urls", etcd, "--advertise-client-urls", etcd,
                "--listen-peer-urls", f"http://127.0.0.1:{peer}",
            ]),
            self.start([
                programs / "kube-apiserver", "--etcd-servers", etcd, "--bind-address", "127.0.0.1", "--secure-port", str(self.port),
                "--cert-dir", folder / "certificates", "--token-auth-file", folder / "tokens.csv", "--authorization-mode", "RBAC",
                "--service-cluster-ip-range", "10.0.0.0/24", "--service-account-issuer", "https://kubernetes.default.svc",
                "--service-account-key-file", key, "--service-account-signing-key-file", key,
            ]),
        ]  # fmt: skip
        self.kubeconfig = folder / "kubeconfig"
        self.kubeconfig.write_text(yaml.safe_dump({
            "apiVersion": "v1", "kind": "Config", "current-context": "test",
            "clusters": [{"name": "test", "cluster": {"server": f"https://127.0.0.1:{self.port}", "insecure-skip-tls-verify": True}}],
            "users": [{"name": "test", "user": {"token": TOKEN}}],
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
        }))  # fmt: skip
        self.resources = {}

    def start(self, command):
        return subprocess.Popen(command, stdout=self.log, stderr=self.log)

    def stop(self):
        for process in reversed(self.processes):
            process.terminate()
            process.wait()

    def wait(self):
        end = time.monotonic() + START_S
        while time.monotonic() < end and all(process.poll() is None for process in self.processes):
            try:
                if self.request("GET", "/readyz")[0] == 200:
                    return
            except OSError:
                pass
            time.sleep(0.2)
        self.log.seek(0)
        sys.exit(f"The API server did not start:\n{self.log.read()[-4000:]}")

    def request(self, method, path, body=None):
        """Returns the status, the text and the warnings of a response."""
        kind = "application/apply-patch+yaml" if method == "PATCH" else "application/json"
        request = urllib.request.Request(
            f"https://127.0.0.1:{self.port}{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {TOKEN}", "Content-Type": kind},
        )
        try:
            with urllib.request.urlopen(request, context=TLS) as response:
                return response.status, response.read().decode(), response.headers.get_all("Warning", [])
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode(), []

    def path(self, item, namespace):
        """The path of an object, or of its kind in the namespace if it has no name."""
        version = item["apiVersion"]
        root = f"/apis/{version}" if "/" in version else f"/api/{version}"
        if root not in self.resources:
            found = json.loads(self.request("GET", root)[1])["resources"]
            self.resources[root] = {each["kind"]: each for each in found if "/" not in each["name"]}
        resource = self.resources[root][item["kind"]]
        scope = f"/namespaces/{namespace}" if resource["namespaced"] else ""
        name = item["metadata"].get("name")
        return f"{root}{scope}/{resource['name']}" + (f"/{name}" if name else "")

    def apply(self, item, namespace="default", dry_run=False):
        """Server-side apply, with unknown and repeated fields as errors. Returns why it was refused or warned of, otherwise ''."""
        query = "?fieldManager=test&fieldValidation=Strict" + ("&dryRun=All" if dry_run else "")
        status, text, warnings = self.request("PATCH", self.path(item, namespace) + query, item)
        problem = json.loads(text)["message"] if status >= 400 else " ".join(warnings)
        return f"{item['kind']} {item['metadata']['name']}: {problem}" if problem else ""

    def get(self, kind, name, namespace, version="v1"):
        status, text, _ = self.request("GET", self.path({"apiVersion": version, "kind": kind, "metadata": {"name": name}}, namespace))
        return json.loads(text) if status == 200 else None

    def admit(self, deployment, namespace):
        """What the admission of its first pod says; '' if the pod may start."""
        template = deployment["spec"]["template"]
        pod = {"apiVersion": "v1", "kind": "Pod", **template, "metadata": {**template["metadata"], "generateName": "pod-"}}
        status, text, warnings = self.request("POST", f"/api/v1/namespaces/{namespace}/pods?dryRun=All&fieldValidation=Strict", pod)
        return json.loads(text)["message"] if status != 201 else " ".join(warnings)


failures = []


def expect(what, actual, expected):
    print(f"{'ok    ' if actual == expected else 'FAILED'}  {what}")
    if actual != expected:
        failures.append(what)
        print(f"        {actual!r}\n        expected {expected!r}")


def create_namespace(cluster, name):
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": RESTRICTED}}
    expect(f"{name}: namespace with pod security restricted", cluster.apply(namespace), "")
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "existing"}}
    expect(f"{name}: service account of the cluster", cluster.apply(account, name), "")


def values_of(name, with_operators):
    values = yaml.safe_load(pathlib.Path(f"{CHART}/ci/{name}-values.yaml").read_text()) | MORE.get(name, {})
    if not with_operators:
        for operator in OPERATORS:
            values.pop(operator, None)
    return values


def documents(text):
    return [document for document in yaml.safe_load_all(text) if document]


def check_set(cluster, chart, name, with_operators):
    """Applies each object, then installs the release, and lets the admission judge a pod of each Deployment."""
    create_namespace(cluster, name)
    values = values_of(name, with_operators)
    rendered = chart.render(values, name=RELEASE, namespace=name)
    objects = [item for path, text in rendered.items() if path.endswith(".yaml") for item in documents(text)]
    problems = [problem for item in objects if (problem := cluster.apply(item, name, dry_run=True))]
    expect(f"{name}: {len(objects)} objects, server-side apply", problems, [])
    with helm.Config(kubeconfig_path=cluster.kubeconfig, namespace=name) as config:
        release = config.install(chart, RELEASE, values, namespace=name)
    stored = documents(release["manifest"])
    expect(f"{name}: helm install", len(stored), len(objects))
    deployments = [item for item in stored if item["kind"] == "Deployment"]
    for deployment in deployments:
        expect(f"{name}: admission of a pod of {deployment['metadata']['name']}", cluster.admit(deployment, name), "")
    unsafe = json.loads(json.dumps(deployments[0]))
    del unsafe["spec"]["template"]["spec"]["securityContext"]["runAsNonRoot"]
    expect(f"{name}: admission refuses a pod that may run as root", "runAsNonRoot" in cluster.admit(unsafe, name), True)


def check_lifecycle(cluster, chart, name):
    """Upgrade, rollback, removal that keeps the volume, and a new installation that uses it."""
    values = values_of(name, False)

    def image():
        return cluster.get("Deployment", RELEASE, name, "apps/v1")["spec"]["template"]["spec"]["containers"][0]["image"]

    def claim():
        return cluster.get("PersistentVolumeClaim", RELEASE, name)["metadata"]["uid"]

    before, volume = image(), claim()
    with helm.Config(kubeconfig_path=cluster.kubeconfig, namespace=name) as config:
        newer = {**values, "image": {**values["image"], "tag": "9.9.9"}}
        config.upgrade(chart, RELEASE, newer, namespace=name)
        expect(f"{name}: helm upgrade changes the image", image(), before.rsplit(":", 1)[0] + ":9.9.9")
        config.rollback(RELEASE)
        expect(f"{name}: helm rollback restores it", image(), before)
        config.uninstall(RELEASE)
        expect(f"{name}: helm uninstall removes the Deployment", cluster.get("Deployment", RELEASE, name, "apps/v1"), None)
        expect(f"{name}: helm uninstall keeps the volume", claim(), volume)
        config.install(chart, RELEASE, values, namespace=name)
        expect(f"{name}: a new installation uses the volume", claim(), volume)


def check_kustomize(cluster, kubectl, base):
    command = [kubectl, "--kubeconfig", cluster.kubeconfig, "-n", RELEASE, "apply", "-k", f"deploy/kubernetes/{base}"]
    result = subprocess.run([*command, "--server-side", "--dry-run=server"], capture_output=True, text=True)
    expect(f"kubectl apply -k deploy/kubernetes/{base}: {len(result.stdout.splitlines())} objects", result.stderr, "")


def main(programs, crds):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="cluster-"))
    cluster = Cluster(programs, folder)
    try:
        cluster.wait()
        print(json.loads(cluster.request("GET", "/version")[1])["gitVersion"])
        expect("priority class of the cluster", cluster.apply(
            {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": "high"}, "value": 1}
        ), "")  # fmt: skip
        for file in sorted(crds.glob("*.yaml")) if crds else []:
            for item in documents(file.read_text()):
                expect(f"definition {item['metadata']['name']}", cluster.apply(item), "")
        with helm.Chart.load(CHART) as chart:
            for name in SETS:
                check_set(cluster, chart, name, crds is not None)
            check_lifecycle(cluster, chart, "single")
        create_namespace(cluster, RELEASE)
        kubectl = shutil.which("kubectl")
        for base in ["single", "roles", "example"] if kubectl else []:
            check_kustomize(cluster, kubectl, base)
    finally:
        cluster.stop()
        shutil.rmtree(folder)
    if crds is None:
        print("not checked, because no definitions were given: objects of operators")
    if not kubectl:
        print("not checked, because there is no kubectl: the kustomize bases")
    sys.exit(f"{len(failures)} checks failed" if failures else 0)


if __name__ == "__main__":
    arguments = [pathlib.Path(argument) for argument in sys.argv[1:]]
    os.chdir(pathlib.Path(__file__).parents[2])
    main(arguments[0], arguments[1] if len(arguments) > 1 else None)
