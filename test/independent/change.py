"""Changes MLflow between two pipeline runs of the service: a run of each kind must find all changes of its function.

Usage: change.py --uri http://… --database mlflow.db --seeded seeded.json delta|backup|historical
"""

import argparse
import json
import pathlib
import sqlite3
import time

from bulk import DAY, HOUR
from client import Mlflow

OK = {"accuracy": 0.9, "loss": 1.0, "latency_ms": 250.0}


def purge(database, run_id):
    """Like `mlflow gc`: nothing of the run remains."""
    with sqlite3.connect(database, timeout=30) as connection:
        for table in ("latest_metrics", "metrics", "params", "tags", "runs"):
            connection.execute(f"DELETE FROM {table} WHERE run_uuid = ?", [run_id])


def for_delta(mlflow, database, ids, runs, now):
    """The service read MLflow three hours ago: every run that started, ended or became open since must be read."""
    client, where = mlflow.client, ids["times"]
    mlflow.run(where, now - 2 * HOUR, now - HOUR - HOUR // 2, metrics={"accuracy": 0.1}, name="came during the outage")
    mlflow.run(where, now - 15 * DAY, now - 2 * HOUR, metrics={"loss": 9.0}, name="unknown, long, ended during the outage")
    mlflow.run(where, now - 5 * DAY, status="SCHEDULED", metrics=OK, name="unknown, scheduled long ago")
    client.set_terminated(runs["RUNNING None"], "FINISHED", now)
    client.set_terminated(runs["SCHEDULED None"], "KILLED", now)
    mlflow.metric(runs["ends_before_read"], "loss", 9.0, now, step=9)
    client.update_run(runs["ended"], "RUNNING")
    mlflow.metric(runs["ended"], "accuracy", 0.1, now, step=9)
    client.set_terminated(runs["neither"], "FINISHED", now - 13 * DAY)
    client.set_tag(runs["old_open"], "application", "moved")
    client.set_tag(runs["RUNNING no"], "monitor.judge", "running")
    client.delete_tag(runs["RUNNING running"], "monitor.judge")
    client.update_run(runs["SCHEDULED no"], name="renamed")
    purge(database, runs["purged_open"])
    client.delete_run(runs["deleted_open"])
    client.restore_experiment(ids["deleted"])
    client.delete_experiment(ids["shown"])
    new = mlflow.experiment("exp new", application="new application")
    for start in (now - 20 * DAY, now - HOUR, now):
        mlflow.run(new, start, now, metrics=OK)
    with sqlite3.connect(database, timeout=30) as connection:
        connection.execute("UPDATE runs SET start_time = ? WHERE run_uuid = ?", [now, runs["unreadable"]])


def for_backup(mlflow, database, ids, runs, now):
    """Late arrivals of the last six hours."""
    mlflow.run(ids["times"], now - 5 * HOUR, now - 4 * HOUR, metrics={"accuracy": 0.1}, name="arrived late")
    mlflow.client.set_terminated(runs["ended"], "FAILED", now)
    # The first end that the service read remains the time of a run without a start.
    mlflow.client.set_terminated(runs["neither"], "FINISHED", now)


def for_historical(mlflow, database, ids, runs, now):
    """Late edits: afterwards, all days must be equal to MLflow."""
    client = mlflow.client
    mlflow.metric(runs["late"], "later", 0.1, now)
    client.set_tag(runs["late"], "application", "edited late")
    mlflow.run(ids["times"], now - 17 * DAY, now - 16 * DAY, metrics=OK, name="imported late")
    client.restore_run(runs["deleted"])
    client.delete_run(runs["alone"])
    purge(database, runs["purged"])
    client.rename_experiment(ids["times"], "exp times, renamed")
    client.set_experiment_tag(ids["summary"], "note", "no application")
    client.set_experiment_tag(ids["bulk7"], "application", "tagged late")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--uri", required=True)
    parser.add_argument("--database", required=True)
    parser.add_argument("--seeded", type=pathlib.Path, required=True)
    parser.add_argument("kind", choices=("delta", "backup", "historical"))
    options = parser.parse_args()
    seeded = json.loads(options.seeded.read_text(encoding="utf-8"))
    change = {"delta": for_delta, "backup": for_backup, "historical": for_historical}[options.kind]
    change(Mlflow(options.uri), options.database, seeded["experiments"], seeded["runs"], int(time.time() * 1000))


if __name__ == "__main__":
    main()
