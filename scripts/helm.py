"""Renders, lints and validates a chart offline. Reads a job from standard input and writes the results to standard output, as JSON.

Job: {"chart": folder, "cases": [values, ...], "versions": ["1.30", ...]}. Each result has `lint` (problems of
`helm lint --strict`), and either `manifests` (text by template) with `invalid` (violations of the strict schemas of these
releases of Kubernetes) and `unknown` (kinds without a schema: those of operators), or `error` (why Helm refuses the values).
"""

import json
import sys

import helm_python as helm
import kubernetes_validate
import yaml

# Severities of lint messages: 1 is for information.
WARNING = 2


def violations(documents, versions):
    invalid, unknown = [], set()
    for document in documents:
        for version in versions:
            try:
                kubernetes_validate.validate(document, version, strict=True)
            except kubernetes_validate.SchemaNotFoundError:
                unknown.add(document["kind"])
            except kubernetes_validate.ValidationError as error:
                invalid.append(f"{version} {document['kind']} {document['metadata']['name']}: {error}")
    return {"invalid": invalid, "unknown": sorted(unknown)}


def result(chart, folder, values, versions):
    messages = helm.lint(folder, values, strict=True)["messages"]
    lint = [message["error"] for message in messages if message["severity"] >= WARNING]
    try:
        manifests = chart.render(values, name="mlflow-monitor", namespace="ml")
    except helm.HelmError as error:
        return {"lint": lint, "error": str(error)}
    texts = {path.split("/", 1)[1]: text for path, text in manifests.items() if text.strip()}
    documents = [
        document for path, text in texts.items() if path.endswith(".yaml") for document in yaml.safe_load_all(text) if document
    ]
    return {"lint": lint, "manifests": texts, **violations(documents, versions)}


job = json.load(sys.stdin)
with helm.Chart.load(job["chart"]) as loaded:
    json.dump([result(loaded, job["chart"], values, job["versions"]) for values in job["cases"]], sys.stdout)
