"""Inserts many rows into MLflow's tables by SQL: sending them one by one would take too long."""

import random
import sqlite3

HOUR, DAY = 3_600_000, 86_400_000
LIMITS = {  # name: critical, warning, spread; values lie around the limits and are often equal to one
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
STATUSES = ["FINISHED"] * 86 + ["FAILED"] * 7 + ["KILLED"] * 3 + ["RUNNING"] * 3 + ["SCHEDULED"]
COLUMNS = {
    "runs": "run_uuid, name, source_type, source_name, entry_point_name, user_id, status, start_time, end_time, lifecycle_stage, experiment_id",
    "tags": "key, value, run_uuid",
    "params": "key, value, run_uuid",
    "latest_metrics": "key, value, timestamp, step, is_nan, run_uuid",
    "metrics": "key, value, timestamp, step, is_nan, run_uuid",
}


class Rows:
    """Rows of MLflow's tables; ids and everything else random depend only on the seed."""

    def __init__(self, seed):
        self.rng = random.Random(seed)
        self.tables = {table: [] for table in COLUMNS}

    def run(self, experiment, start, end, status="FINISHED", name=None, user="", metrics=(), tags=None, params=None):
        """`metrics`: (key, value, time in ms, step). Returns the id."""
        run_id = f"{self.rng.getrandbits(128):032x}"
        self.tables["runs"].append((run_id, name, "UNKNOWN", "", "", user, status, start, end, "active", int(experiment)))
        self.tables["tags"] += [(key, value, run_id) for key, value in (tags or {}).items()]
        self.tables["params"] += [(key, value, run_id) for key, value in (params or {}).items()]
        for key, v, time, step in metrics:
            nan = v != v
            row = (key, 0.0 if nan else v, time, step, nan, run_id)
            self.tables["latest_metrics"].append(row)
            self.tables["metrics"].append(row)
        return run_id

    def write(self, database):
        with sqlite3.connect(database, timeout=30) as connection:
            for table, rows in self.tables.items():
                marks = ", ".join("?" * len(COLUMNS[table].split(",")))
                connection.executemany(f"INSERT INTO {table} ({COLUMNS[table]}) VALUES ({marks})", rows)
        return {table: len(rows) for table, rows in self.tables.items()}


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
    """A time in the last `days`; often where windows begin and end: full hours, midnight, the millisecond before."""
    t = now - rng.randrange(days * DAY)
    kind = rng.random()
    if kind < 0.05:
        return t // HOUR * HOUR
    if kind < 0.08:
        return t // DAY * DAY + rng.choice((0, DAY - 1))
    if kind < 0.11:
        return t // HOUR * HOUR + HOUR - 1
    return t


def add_random_runs(rows, now, number, days, experiments):
    """`experiments`: ids among which the runs are distributed."""
    rng = rows.rng
    same_time = now - 2 * DAY - 5 * HOUR - 123
    ids = []
    for i in range(number):
        # More runs with one start time than fit on a page, all in one experiment.
        equal = i < 130
        experiment = experiments[0] if equal else rng.choice(experiments)
        start = min(same_time if equal else moment(rng, now, days), now - 1000)
        status = rng.choice(STATUSES)
        end = None if status in ("RUNNING", "SCHEDULED") else min(start + rng.randrange(2 * HOUR), now)
        quality = (0.98, 0.9, 0.6)[(int(experiment) + start // DAY // 3) % 3]
        tags = {"mlflow.user": rng.choice(("chris", "dünya", ""))}
        if rng.random() < 0.8:
            tags["mlflow.runName"] = f"tagged-{i}"
        if rng.random() < 0.04:
            tags["application"] = rng.choice(("app-override", "bulk-app-1"))
        if ids and rng.random() < 0.06:
            tags["mlflow.parentRunId"] = rng.choice(ids)
        if status in ("RUNNING", "SCHEDULED") and rng.random() < 0.3:
            tags["monitor.judge"] = rng.choice(("running", "Running"))
        params = {key: str(rng.random()) for key in rng.sample(("lr", "epochs", "optimizer", "seed"), rng.randrange(4))}
        # A tenth of the runs has only metrics without thresholds, or none at all.
        names = rng.sample(sorted(LIMITS), rng.randrange(6, 9)) if rng.random() < 0.9 else ["custom/unknown"][: rng.randrange(2)]
        metrics = [(key, value(rng, key, quality), start + rng.randrange(HOUR), rng.randrange(1000)) for key in names]
        name, user = rng.choice((f"train-{i}", "nightly", "", None)), rng.choice(("ana", "bo", ""))
        ids.append(rows.run(experiment, start, end, status, name, user, metrics, tags, params))


# Name: healthy, warning, critical, invalid, unmonitored, failed runs; at every limit of the light and next to it.
LIGHTS = {
    "L all": (8, 0, 0, 0, 0, 0),
    "L one": (1, 0, 0, 0, 0, 0),
    "L parts": (17, 1, 0, 0, 0, 0),
    "L all but": (8, 0, 0, 0, 2, 0),
    "L all but one": (8, 0, 0, 0, 1, 0),
    "L all sorts": (39, 2, 1, 1, 2, 0),
    "L critical at limit": (8, 0, 2, 0, 0, 0),
    "L critical": (7, 0, 2, 0, 0, 0),
    "L one critical": (2, 0, 1, 0, 0, 0),
    "L pass rate at limit": (8, 0, 0, 2, 0, 0),
    "L pass rate": (15, 0, 0, 4, 1, 0),
    "L invalid at limit": (19, 0, 0, 1, 0, 0),
    "L invalid": (18, 0, 0, 1, 0, 0),
    "L strict at limit": (8, 2, 0, 0, 0, 0),
    "L strict": (7, 2, 0, 0, 0, 0),
    "L failed at limit": (4, 0, 0, 0, 0, 4),
    "L failed": (4, 0, 0, 0, 0, 5),
    "L nothing": (0, 0, 0, 0, 3, 0),
    "L nothing, one": (0, 0, 0, 0, 1, 0),
    "L half up": (15, 0, 1, 0, 0, 0),
}
METRICS_BY_KIND = ((("accuracy", 0.9),), (("accuracy", 0.8),), (("accuracy", 0.1),), (("accuracy", float("nan")),), (("unknown", 1.0),), ())


def add_lights(rows, now, experiment):
    start = (now // DAY - 11) * DAY + 13 * HOUR
    for application, counts in LIGHTS.items():
        for kind, number in enumerate(counts):
            for i in range(number):
                metrics = [(key, v, start, 0) for key, v in METRICS_BY_KIND[kind]]
                status = "FAILED" if kind == 5 else "FINISHED"
                rows.run(experiment, start + kind * 1000 + i, start + HOUR, status, metrics=metrics, tags={"application": application})
