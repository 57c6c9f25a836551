"""MLflow's REST interface with nothing but the standard library."""

import json
import urllib.request


class Mlflow:
    def __init__(self, uri):
        self.base = uri.rstrip("/") + "/api/2.0/mlflow/"

    def post(self, path, **body):
        request = urllib.request.Request(
            self.base + path,
            data=json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def experiment(self, name, **tags):
        pairs = [{"key": key, "value": value} for key, value in tags.items()]
        return self.post("experiments/create", name=name, tags=pairs)["experiment_id"]

    def run(self, experiment, start, end=None, status="FINISHED", name=None, metrics=None, tags=None, params=None):
        """Creates a run with everything it has; `end` None leaves it without an end. Returns its id."""
        body = {"experiment_id": experiment, "start_time": start}
        if name is not None:
            body["run_name"] = name
        if tags:
            body["tags"] = [{"key": key, "value": value} for key, value in tags.items()]
        run_id = self.post("runs/create", **body)["run"]["info"]["run_id"]
        self.log(run_id, start, metrics, params)
        if end is not None or status != "RUNNING":
            self.update(run_id, status, end)
        return run_id

    def log(self, run_id, time, metrics=None, params=None):
        entries = [
            {"key": key, "value": text(value), "timestamp": time, "step": 0} for key, value in (metrics or {}).items()
        ]
        pairs = [{"key": key, "value": value} for key, value in (params or {}).items()]
        if entries or pairs:
            self.post("runs/log-batch", run_id=run_id, metrics=entries, params=pairs)

    def metric(self, run_id, key, value, time, step=0):
        self.post("runs/log-metric", run_id=run_id, key=key, value=text(value), timestamp=time, step=step)

    def update(self, run_id, status, end=None):
        body = {"run_id": run_id, "status": status}
        if end is not None:
            body["end_time"] = end
        self.post("runs/update", **body)


def text(value):
    """JSON has no NaN and no infinity; the protobuf mapping that MLflow speaks writes them as text."""
    if value != value:
        return "NaN"
    if value in (float("inf"), float("-inf")):
        return "Infinity" if value > 0 else "-Infinity"
    return value
