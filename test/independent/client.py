"""MLflow's client, with runs created in one call; what the client does not support is sent to the REST API directly."""

import json
import os
import urllib.request

os.environ.update(MLFLOW_DISABLE_TELEMETRY="true", MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT="true")

from mlflow import MlflowClient  # noqa: E402
from mlflow.entities import Metric, Param  # noqa: E402


class Mlflow:
    def __init__(self, uri):
        self.uri = uri.rstrip("/")
        self.client = MlflowClient(self.uri)

    def experiment(self, name, **tags):
        return self.client.create_experiment(name, tags=tags)

    def run(self, experiment, start, end=None, status="FINISHED", name=None, metrics=None, tags=None, params=None):
        """Creates a run with everything it has; `end` None leaves it without an end. Returns its id."""
        if start > 0:
            run_id = self.client.create_run(experiment, start, tags, name).info.run_id
        else:
            # The client replaces 0 by the current time.
            run_id = self.post("runs/create", experiment_id=experiment, start_time=start, run_name=name)["run"]["info"]["run_id"]
        self.log(run_id, max(start, 0), metrics, params)
        if end is not None:
            self.client.set_terminated(run_id, status, end)
        elif status != "RUNNING":
            self.client.update_run(run_id, status)
        return run_id

    def log(self, run_id, time, metrics=None, params=None):
        entries = [Metric(key, value, time, 0) for key, value in (metrics or {}).items()]
        pairs = [Param(key, value) for key, value in (params or {}).items()]
        if entries or pairs:
            self.client.log_batch(run_id, entries, pairs)

    def metric(self, run_id, key, value, time, step=0):
        self.client.log_metric(run_id, key, value, time, step)

    def post(self, path, **body):
        request = urllib.request.Request(
            f"{self.uri}/api/2.0/mlflow/{path}",
            data=json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as response:
            return json.load(response)
