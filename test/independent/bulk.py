"""Bulk rows by SQL into MLflow's own tables: too many to send one by one."""

import random
import sqlite3

HOUR, DAY = 3_600_000, 86_400_000
LIMITS = {  # name: critical, warning, spread; the values lie around the limits and often exactly on one
    "accuracy": (0.7, 0.85, 0.2),
    "val/accuracy": (0.5, 0.65, 0.2),
    "loss": (1.5, 1.0, 0.6),
    "latency_ms": (500.0, 250.0, 180.0),
    "auc": (0.6, 0.75, 0.2),
    "drift": (0.4, 0.2, 0.15),
    "rmse": (12.0, 9.0, 4.0),
    "throughput": (80.0, 100.25, 30.0),
    "custom/unknown": (1.0, 2.0, 3.0),
    "system/cpu": (1.0, 2.0, 3.0),
}
LOWER = {"loss", "latency_ms", "drift", "rmse"}
STATUSES = ["FINISHED"] * 86 + ["FAILED"] * 7 + ["KILLED"] * 3 + ["RUNNING"] * 3 + ["SCHEDULED"]


def value(rng, name, quality):
    critical, warning, spread = LIMITS[name]
    kind = rng.random()
    if kind < 0.06:
        return rng.choice((critical, warning))
    if kind < 0.07:
        return float("nan")
    if kind < 0.075:
        return rng.choice((1.7976931348623157e308, -1.7976931348623157e308))
    good = warning + (warning - critical) * 1.2
    bad = critical - (warning - critical) * 0.4
    v = rng.gauss(good if rng.random() < quality else bad, spread / 3)
    return round(v, 3) if kind < 0.5 else v


def moment(rng, now, days):
    """A time in the last `days`; often where spans begin and end: full hours, midnight, the millisecond before."""
    t = now - rng.randrange(days * DAY)
    kind = rng.random()
    if kind < 0.05:
        return t // HOUR * HOUR
    if kind < 0.08:
        return t // DAY * DAY + rng.choice((0, DAY - 1))
    if kind < 0.11:
        return t // HOUR * HOUR + HOUR - 1
    return t


def insert(database, seed, now, runs, days, experiments):
    """`experiments`: ids to spread the runs over."""
    rng = random.Random(seed)
    tables = {"runs": [], "tags": [], "params": [], "latest_metrics": [], "metrics": []}
    same_time = now - 2 * DAY - 5 * HOUR - 123
    ids = []
    for number in range(runs):
        run_id = f"{rng.getrandbits(128):032x}"
        experiment = rng.choice(experiments)
        # More runs with one start time than a page holds, all in one experiment.
        equal = number < 130
        if equal:
            experiment = experiments[0]
        start = min(same_time if equal else moment(rng, now, days), now - 1000)
        status = rng.choice(STATUSES)
        end = None if status in ("RUNNING", "SCHEDULED") else min(start + rng.randrange(2 * HOUR), now)
        quality = (0.98, 0.9, 0.6)[(int(experiment) + start // DAY // 3) % 3]
        name = rng.choice((f"train-{number}", "nightly", "", None))
        tables["runs"].append((run_id, name, "UNKNOWN", "", "", rng.choice(("ana", "bo", "")), status, start, end, "active", int(experiment)))
        tables["tags"].append(("mlflow.user", rng.choice(("chris", "dünya", "")), run_id))
        if rng.random() < 0.8:
            tables["tags"].append(("mlflow.runName", f"tagged-{number}", run_id))
        if rng.random() < 0.04:
            tables["tags"].append(("application", rng.choice(("app-override", "bulk-app-1")), run_id))
        if ids and rng.random() < 0.06:
            tables["tags"].append(("mlflow.parentRunId", rng.choice(ids), run_id))
        if status in ("RUNNING", "SCHEDULED") and rng.random() < 0.3:
            tables["tags"].append(("monitor.judge", rng.choice(("running", "Running")), run_id))
        for key in rng.sample(("lr", "epochs", "optimizer", "seed"), rng.randrange(4)):
            tables["params"].append((key, str(rng.random()), run_id))
        # A tenth of the runs only has metrics that nothing judges, some have none at all.
        names = rng.sample(sorted(LIMITS), rng.randrange(6, 9)) if rng.random() < 0.9 else ["custom/unknown"][: rng.randrange(2)]
        for key in names:
            v = value(rng, key, quality)
            nan = v != v
            row = (key, 0.0 if nan else v, start + rng.randrange(HOUR), rng.randrange(1000), nan, run_id)
            tables["latest_metrics"].append(row)
            tables["metrics"].append(row)
        ids.append(run_id)
    columns = {
        "runs": "run_uuid, name, source_type, source_name, entry_point_name, user_id, status, start_time, end_time, lifecycle_stage, experiment_id",
        "tags": "key, value, run_uuid",
        "params": "key, value, run_uuid",
        "latest_metrics": "key, value, timestamp, step, is_nan, run_uuid",
        "metrics": "key, value, timestamp, step, is_nan, run_uuid",
    }
    with sqlite3.connect(database, timeout=30) as connection:
        for table, rows in tables.items():
            marks = ", ".join("?" * len(rows[0]))
            connection.executemany(f"INSERT INTO {table} ({columns[table]}) VALUES ({marks})", rows)
    return {table: len(rows) for table, rows in tables.items()}
