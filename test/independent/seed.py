"""Fills an empty MLflow: the awkward runs through its REST interface, the mass by SQL; writes the catalog.

Usage: seed.py --uri http://… --database mlflow.db --out folder [--seed 1] [--runs 1500]
Writes catalog.json and seeded.json (ids that change.py needs) to --out.
"""

import argparse
import json
import pathlib
import sqlite3
import time

import bulk
import catalog
from bulk import DAY, HOUR
from rest import Mlflow

NAN, INF = float("nan"), float("inf")
HOSTILE = ["../../x", "'; DROP TABLE runs; --", 'quo"te\\back', "Ω ünï 😀 ￿", "{\"json\": [1]}", "line\nbreak\ttab", "x" * 500]


def experiments(mlflow):
    """The experiments by the role that they play."""
    made = {f"bulk{i}": mlflow.experiment(f"bulk-exp-{i:02}", **({"application": f"bulk-app-{i % 3}"} if i < 5 else {})) for i in range(12)}
    for i, name in enumerate(HOSTILE):
        made[f"hostile{i}"] = mlflow.experiment(name)
    made["blank"] = mlflow.experiment("   ")
    made["blank_tag"] = mlflow.experiment("named, tag is blank", application=" \t")
    made["hostile_tag"] = mlflow.experiment("hostile application", application="../../" + "é" * 494)
    made["astral"] = mlflow.experiment("sorted", application="😀 after")
    made["private"] = mlflow.experiment("sorted 2", application="\ue000 before")
    for name in ("rules", "override", "override_all", "times", "deleted", "edge", "summary"):
        made[name] = mlflow.experiment(f"exp {name}")
    return made


def texts(mlflow, ids, now):
    """Hostile names everywhere MLflow takes them."""
    for i, name in enumerate(HOSTILE):
        params = {"p": name or "-", "é/" + "k" * 240: name, "empty": ""}
        tags = {"note": name, "t" * 250: "long key", "application": name} if i % 2 else {"note": name, "blank": "  "}
        run = {"metrics": {"accuracy": 0.9, "m" * 250: 1.5, "größe/Ω": 2.0}, "params": params, "tags": tags}
        mlflow.run(ids[f"hostile{i}"], now - 3 * DAY - i, now - 3 * DAY, name=name[:250], **run)
    for key in ("blank", "blank_tag", "hostile_tag", "astral", "private"):
        mlflow.run(ids[key], now - 2 * DAY, now - DAY, metrics={"accuracy": 0.9})
    blank = {"application": "", "mlflow.user": "\t", "mlflow.parentRunId": " ", "monitor.judge": ""}
    mlflow.run(ids["rules"], now - 2 * DAY, now - DAY, metrics={"loss": 1.2}, tags=blank)
    mlflow.run(ids["rules"], now - 2 * DAY, now - DAY, name="  ", metrics={"loss": 1.2})


def judged(mlflow, ids, now):
    """One run per value and rule of the catalog, among them values exactly on every limit."""
    rows = catalog.catalog((ids["override"], ids["override_all"]))["thresholds"]
    names = sorted({row["metric_name"] for row in rows if "*" not in row["metric_name"]} - {"no_such_metric"})
    names += ["tie/metric", "len/😀x", "len/x", "strict/lowest", "no_rows", "myXmetric1", "my_metric1", "m_1", "me1", "axb", "case", "Accuracy"]
    names += ["train/accuracy", "equal/other", "unknown"]
    # The catalog's own patterns need characters that MLflow refuses in a key, these must match nothing.
    names = [name.replace("😀", "Ω") if "😀" in name else name for name in names]
    numbers = {row[limit] for row in rows for limit in ("critical_threshold", "warning_threshold")} - {None}
    values = sorted(v for v in numbers if 1e-300 < abs(v) < 1e300)
    for i, v in enumerate(values):
        mlflow.run(ids["rules"], now - 4 * DAY + i * 60_000, now - 3 * DAY, metrics={name: v for name in names})
    for key in ("override", "override_all"):
        for i, v in enumerate((0.5, 0.55, 0.6, 0.65, 0.7, 0.8, 0.85, 0.9, 0.95)):
            mlflow.run(ids[key], now - 4 * DAY + i * HOUR, now - 3 * DAY, metrics={name: v for name in ("accuracy", "val/accuracy", "loss", "x")})


def values(mlflow, ids, now):
    """Numbers at the edge of a double."""
    edge = [NAN, INF, -INF, 1.7976931348623155e308, 1e308, 1e308, -1e308, 5e-324, 1e-310, -5e-324, 0.1, 0.2, 0.3, 1e16, 1.0, -1e16, 2**53 + 1]
    for i, v in enumerate(edge):
        run = mlflow.run(ids["edge"], now - 6 * DAY + i * HOUR, now - 5 * DAY, metrics={"edge/value": v, "unknown": v, "accuracy": 0.9})
        mlflow.metric(run, "edge/step", 0.1 * i, now - 6 * DAY + i, step=(2**53 + 1, -7, 2**63 - 1)[i % 3])
        mlflow.metric(run, "edge/small", (1e-310, 5e-324, -1e-320)[i % 3], 0)
    many = {f"many/{i:03}": float(i) for i in range(70)} | {"accuracy": 0.9, "zz": 1.0, "drift": NAN, "latency_ms": 1.0}
    mlflow.run(ids["edge"], now - 5 * DAY, now - 5 * DAY + 1, metrics=many)
    mlflow.run(ids["edge"], now - 5 * DAY + 1, now - 5 * DAY + 2)
    mlflow.run(ids["edge"], now - 5 * DAY + 2, now - 5 * DAY + 3, metrics={"system/gpu": 1.0})


def times(mlflow, ids, now):
    """Runs whose time is the difficulty. Returns the ids that change.py changes."""
    where, midnight, ok = ids["times"], now // DAY * DAY, {"accuracy": 0.9, "loss": 1.0, "latency_ms": 250.0}
    noon = midnight - 3 * DAY + 12 * HOUR
    # Both ends of the windows: exactly 24 h and 7 days apart, a millisecond to either side.
    for offset in (-7 * DAY - 1, -7 * DAY, -7 * DAY + 1, -DAY - 1, -DAY, -DAY + 1, -1, 0, 0, HOUR - 1, HOUR):
        mlflow.run(where, noon + offset, noon + HOUR, metrics={**ok, "accuracy": 0.8 + offset % 1000 / 5000}, tags={"application": "spans"})
    # Trend: two within an hour of the third, then exactly an hour, then more.
    for offset in (0, HOUR - 2, HOUR - 1, HOUR, 2 * HOUR):
        mlflow.run(where, noon + offset, noon + DAY, metrics={"accuracy": 0.8 + offset / DAY}, tags={"application": "trend"})
    for start in (midnight - 1, midnight, midnight - DAY, midnight - DAY - 1):
        mlflow.run(where, start, start + 5, metrics=ok)
    mlflow.run(where, midnight - DAY - 3 * HOUR, midnight - DAY + 3 * HOUR, metrics=ok, name="spans midnight")
    mlflow.run(where, now - 10 * DAY, now, metrics=ok, name="ends now")
    mlflow.run(where, 0, now - 9 * DAY, metrics=ok, name="no start")
    mlflow.run(where, 0, now - 9 * DAY, status="FAILED", name="no start, no metric")
    neither = mlflow.run(where, 0, status="RUNNING", metrics=ok, name="neither")
    late = mlflow.run(where, now - 8 * DAY, now - 8 * DAY + 1, metrics=ok, name="late metric")
    mlflow.metric(late, "late", 0.5, now - 3 * DAY)
    resumed = mlflow.run(where, now - 8 * DAY, now - 7 * DAY, metrics=ok, name="resumed")
    mlflow.update(resumed, "RUNNING")
    mlflow.metric(resumed, "accuracy", 0.1, now - HOUR, step=5)
    mlflow.update(resumed, "FINISHED", now - HOUR)
    steps = mlflow.run(where, now - DAY, now, name="steps")
    for step, v in ((0, 0.1), (3, 0.9), (2, 0.2), (3, 0.91), (-1, 0.0)):
        mlflow.metric(steps, "accuracy", v, now - DAY + step * 1000, step=step)
    started = {}
    for status in ("RUNNING", "SCHEDULED"):
        for judge in (None, "running", "no"):
            tags = {"monitor.judge": judge} if judge else None
            started[f"{status} {judge}"] = mlflow.run(where, now - 5 * DAY, status=status, metrics={**ok, "loss": 9.0}, tags=tags)
    mlflow.run(where, now - DAY, now, status="KILLED", metrics=ok)
    for i in range(3):
        mlflow.run(where, now - DAY + i, now, status="FAILED")
    parent = mlflow.run(where, now - 2 * DAY, now - DAY, metrics=ok, name="parent")
    for i in range(5):
        child = mlflow.run(where, now - 2 * DAY + i, now - DAY, metrics={"accuracy": 0.0}, tags={"mlflow.parentRunId": parent})
    mlflow.run(where, now - 2 * DAY, now - DAY, metrics=ok, tags={"mlflow.parentRunId": child}, name="grandchild")
    # An hour of an application with nothing but a child has no row, with nothing but a running run it has.
    mlflow.run(where, now - 4 * DAY, now, metrics=ok, tags={"mlflow.parentRunId": parent, "application": "children only"})
    mlflow.run(where, now - 4 * DAY, status="RUNNING", metrics=ok, tags={"application": "running only"})
    deleted = mlflow.run(where, now - 2 * DAY, now - DAY, metrics=ok, name="deleted")
    mlflow.post("runs/delete", run_id=deleted)
    restored = mlflow.run(where, now - 2 * DAY, now - DAY, metrics=ok, name="deleted and restored")
    mlflow.post("runs/delete", run_id=restored)
    mlflow.post("runs/restore", run_id=restored)
    for i in range(3):
        mlflow.run(ids["deleted"], now - 2 * DAY + i * HOUR, now - DAY, metrics=ok)
    mlflow.post("experiments/delete", experiment_id=ids["deleted"])
    return {"neither": neither, "late": late, "parent": parent, "deleted": deleted, "open": started["RUNNING None"], "scheduled": started["SCHEDULED None"]}


# Name: healthy, warning, critical, invalid, unmonitored, failed runs; at every limit of the light and beside it.
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
SHOWN = ({"accuracy": 0.9}, {"accuracy": 0.8}, {"accuracy": 0.1}, {"accuracy": NAN}, {"unknown": 1.0}, {})


def lights(mlflow, ids, now):
    start = (now // DAY - 11) * DAY + 13 * HOUR
    for application, counts in LIGHTS.items():
        for kind, number in enumerate(counts):
            for i in range(number):
                status = "FAILED" if kind == 5 else "FINISHED"
                mlflow.run(ids["summary"], start + kind * 1000 + i, start + HOUR, status=status, metrics=SHOWN[kind], tags={"application": application})


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--uri", required=True)
    parser.add_argument("--database", required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--runs", type=int, default=1500)
    options = parser.parse_args()
    mlflow, now = Mlflow(options.uri), int(time.time() * 1000)
    with sqlite3.connect(options.database) as database:
        if database.execute("SELECT count(*) FROM runs").fetchone()[0]:
            raise SystemExit("seed.py starts from an empty MLflow")
    ids = experiments(mlflow)
    texts(mlflow, ids, now)
    judged(mlflow, ids, now)
    values(mlflow, ids, now)
    seeded = times(mlflow, ids, now)
    lights(mlflow, ids, now)
    counts = bulk.insert(options.database, options.seed, now, options.runs, 12, [ids[f"bulk{i}"] for i in range(12)])
    rows = catalog.catalog((ids["override"], ids["override_all"]))
    (options.out / "catalog.json").write_text(json.dumps(rows, ensure_ascii=False, indent=1), encoding="utf-8")
    (options.out / "seeded.json").write_text(json.dumps({"experiments": ids, "runs": seeded}), encoding="utf-8")
    print(f"seeded {counts['runs']} runs and {counts['latest_metrics']} metrics by SQL (seed {options.seed}), the awkward ones by REST")


if __name__ == "__main__":
    main()
