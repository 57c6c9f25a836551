"""Fills an empty MLflow, special cases through its client and random runs by SQL, and writes the catalogs.

Usage: seed.py --uri http://… --database mlflow.db --out folder [--seed 1] [--runs 1500]
Writes catalog.json, catalog-later.json and seeded.json (ids for change.py) to --out.
"""

import argparse
import json
import pathlib
import sqlite3
import time

import bulk
import catalog
from bulk import DAY, HOUR
from client import Mlflow
from mlflow.entities import Dataset, DatasetInput, InputTag

NAN, INF = float("nan"), float("inf")
OK = {"accuracy": 0.9, "loss": 1.0, "latency_ms": 250.0}
HOSTILE = ["../../x", "'; DROP TABLE runs; --", 'quo"te\\back', "Ω ünï 😀 ￿", "{\"json\": [1]}", "line\nbreak\ttab", "x" * 500]


def experiments(mlflow):
    """The experiments by their purpose."""
    made = {f"bulk{i}": mlflow.experiment(f"bulk-exp-{i:02}", **({"application": f"bulk-app-{i % 3}"} if i < 5 else {})) for i in range(12)}
    for i, name in enumerate(HOSTILE):
        made[f"hostile{i}"] = mlflow.experiment(name)
    made["counted"] = mlflow.experiment("children counted", **{"monitor.nested": "count"})
    made["ignored"] = mlflow.experiment("exp nested ignored", **{"monitor.nested": "ignore"})
    made["pattern"] = mlflow.experiment("exp nested pattern", **{"monitor.nested": "Count"})
    made["blank"] = mlflow.experiment("   ")
    made["blank_tag"] = mlflow.experiment("named, tag is blank", application=" \t")
    made["hostile_tag"] = mlflow.experiment("hostile application", application="../../" + "é" * 494)
    made["astral"] = mlflow.experiment("sorted", application="😀 after")
    made["private"] = mlflow.experiment("sorted 2", application="\ue000 before")
    for name in ("rules", "override", "override_all", "times", "deleted", "shown", "edge", "summary"):
        made[name] = mlflow.experiment(f"exp {name}")
    return made


def texts(mlflow, ids, now):
    """Hostile texts wherever MLflow accepts them."""
    for i, name in enumerate(HOSTILE):
        params = {"p": name or "-", "é/" + "k" * 240: name, "empty": ""}
        tags = {"note": name, "t" * 250: "long key", "application": name} if i % 2 else {"note": name, "blank": "  "}
        run = {"metrics": {"accuracy": 0.9, "m" * 250: 1.5, "größe/Ω": 2.0}, "params": params, "tags": tags}
        mlflow.run(ids[f"hostile{i}"], now - 3 * DAY - i, now - 3 * DAY, name=name[:250], **run)
    for key in ("blank", "blank_tag", "hostile_tag", "astral", "private"):
        mlflow.run(ids[key], now - 2 * DAY, now - DAY, metrics={"accuracy": 0.9})
    blank = {"application": "", "mlflow.user": "\t", "mlflow.parentRunId": " ", "monitor.judge": "", "wide": "\u3000\u00a0", "unit": "\x1f"}
    mlflow.run(ids["rules"], now - 2 * DAY, now - DAY, metrics={"loss": 1.2}, tags=blank)
    mlflow.run(ids["rules"], now - 2 * DAY, now - DAY, name="  ", metrics={"loss": 1.2})


def spread(mlflow, ids, now):
    """Series of two runs a day: at any hour of the day, some rows have the 5 points before their day that a forecast needs.

    Several, because tails.py compares the numbers of a sample of the series.
    """
    for i in range(12):
        start = now - 6 * DAY + i * 12 * HOUR
        mlflow.run(ids["edge"], start, start + HOUR, metrics={f"spread/{k}": 10.0 + (i * 7 % 5) for k in range(6)})


def evaluated(mlflow, ids, now):
    """One run per value and rule of the catalog, including values equal to every limit."""
    rows = catalog.catalog((ids["override"], ids["override_all"]))["thresholds"]
    names = sorted({row["metric_name"] for row in rows if "*" not in row["metric_name"]} - {"no_such_metric"})
    names += ["tie/metric", "len/😀x", "len/x", "strict/lowest", "no_rows", "myXmetric1", "my_metric1", "m_1", "me1", "axb", "case", "Accuracy"]
    names += ["train/accuracy", "equal/other", "unknown"]
    # MLflow rejects emoji in metric names, so these names must match no pattern of the catalog.
    names = [name.replace("😀", "Ω") if "😀" in name else name for name in names]
    numbers = {row[limit] for row in rows for limit in ("critical_threshold", "warning_threshold")} - {None}
    values = sorted(v for v in numbers if 1e-300 < abs(v) < 1e300)
    for i, v in enumerate(values):
        mlflow.run(ids["rules"], now - 4 * DAY + i * 60_000, now - 3 * DAY, metrics={name: v for name in names})
    for key in ("override", "override_all"):
        for i, v in enumerate((0.5, 0.55, 0.6, 0.65, 0.7, 0.8, 0.85, 0.9, 0.95)):
            mlflow.run(ids[key], now - 4 * DAY + i * HOUR, now - 3 * DAY, metrics={name: v for name in ("accuracy", "val/accuracy", "loss", "x")})


def values(mlflow, ids, now):
    """Numbers at the limits of a double."""
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
    """Runs with special times."""
    where, midnight = ids["times"], now // DAY * DAY
    noon = midnight - 3 * DAY + 12 * HOUR
    # Both ends of the windows: exactly 24 h and 7 days, and one millisecond less and more.
    for offset in (-7 * DAY - 1, -7 * DAY, -7 * DAY + 1, -DAY - 1, -DAY, -DAY + 1, -1, 0, 0, HOUR - 1, HOUR):
        metrics = {**OK, "accuracy": 0.8 + offset % 1000 / 5000}
        mlflow.run(where, noon + offset, noon + HOUR, metrics=metrics, tags={"application": "spans"})
    # Trend: three runs within less than an hour, then exactly an hour, then more.
    for offset in (0, HOUR - 2, HOUR - 1, HOUR, 2 * HOUR):
        mlflow.run(where, noon + offset, noon + DAY, metrics={"accuracy": 0.8 + offset / DAY}, tags={"application": "trend"})
    for start in (midnight - 1, midnight, midnight - DAY, midnight - DAY - 1):
        mlflow.run(where, start, start + 5, metrics=OK)
    mlflow.run(where, midnight - DAY - 3 * HOUR, midnight - DAY + 3 * HOUR, metrics=OK, name="spans midnight")
    mlflow.run(where, now - 10 * DAY, now, metrics=OK, name="ends now")
    mlflow.run(where, now + 2 * HOUR, now + 3 * HOUR, metrics=OK, name="from the future")
    mlflow.run(where, 0, now - 9 * DAY, metrics=OK, name="no start")
    mlflow.run(where, 0, now - 9 * DAY, status="FAILED", name="no start, no metric")
    # Both started before the first lookback; only the first also ended before it.
    mlflow.run(where, now - 40 * DAY, now - 39 * DAY, metrics=OK, name="too old")
    mlflow.run(where, now - 40 * DAY, now - 3 * DAY, metrics=OK, name="old, but long")
    steps = mlflow.run(where, now - DAY, now, name="steps")
    for step, v in ((0, 0.1), (3, 0.9), (2, 0.2), (3, 0.91), (-1, 0.0)):
        mlflow.metric(steps, "accuracy", v, now - DAY + step * 1000, step=step)
    mlflow.run(where, now - DAY, now, status="KILLED", metrics=OK)
    for i in range(3):
        mlflow.run(where, now - DAY + i, now, status="FAILED")
    with_data = mlflow.run(where, now - DAY, now, metrics=OK, name="with data")
    data = Dataset(name="d\"ata 😀", digest="abc", source_type="local", source="{\"path\": \"../x\"}", schema="[1]")
    mlflow.client.log_inputs(with_data, [DatasetInput(data, [InputTag("context", "training")])])


def family(mlflow, ids, now):
    where = ids["times"]
    parent = mlflow.run(where, now - 2 * DAY, now - DAY, metrics=OK, name="parent")
    for i in range(5):
        child = mlflow.run(where, now - 2 * DAY + i, now - DAY, metrics={"accuracy": 0.0}, tags={"mlflow.parentRunId": parent})
    mlflow.run(where, now - 2 * DAY, now - DAY, metrics=OK, tags={"mlflow.parentRunId": child}, name="grandchild")
    # An hour with only a child run has no row in application_summary, an hour with only a running run has one.
    mlflow.run(where, now - 4 * DAY, now, metrics=OK, tags={"mlflow.parentRunId": parent, "application": "children only"})
    mlflow.run(where, now - 4 * DAY, status="RUNNING", metrics=OK, tags={"application": "running only"})
    # A day on which only child runs, of which two are critical, and a running run are in the span.
    for i in range(3):
        metrics = {**OK, "accuracy": 0.0 if i else 0.9}
        mlflow.run(ids["edge"], now - 4 * DAY - HOUR * i, now, metrics=metrics, tags={"mlflow.parentRunId": parent, "application": "campaign"})
    mlflow.run(ids["edge"], now - 4 * DAY, status="RUNNING", metrics=OK, tags={"application": "campaign"})
    # Which children count: by the tag of the run, else of the experiment, else by the names of application and experiment.
    for key in ("counted", "ignored", "pattern", "edge", "override"):
        for choice in (None, "count", "ignore", "COUNT"):
            for application in (None, "nested app_1", "nested app 2"):
                for status in ("FINISHED", "RUNNING"):
                    tags = {"mlflow.parentRunId": parent, "monitor.nested": choice, "application": application}
                    tags = {name: value for name, value in tags.items() if value}
                    ended = now - DAY if status == "FINISHED" else None
                    mlflow.run(ids[key], now - 3 * DAY, ended, status, metrics={**OK, "accuracy": 0.0}, tags=tags)
    for tag in ({}, {"mlflow.parentRunId": parent}):
        mlflow.run(ids["ignored"], now - 2 * DAY, now, metrics=OK, tags={**tag, "monitor.nested": "ignore"}, name="no child, or one")


def changing(mlflow, ids, now):
    """Runs that change.py changes later. Returns their ids."""
    where = ids["times"]
    resumed = mlflow.run(where, now - 8 * DAY, now - 7 * DAY, metrics=OK, name="resumed before the first read")
    mlflow.client.update_run(resumed, "RUNNING")
    mlflow.metric(resumed, "accuracy", 0.1, now - HOUR, step=5)
    mlflow.client.set_terminated(resumed, "FINISHED", now - HOUR)
    late = mlflow.run(where, now - 8 * DAY, now - 8 * DAY + 1, metrics=OK, name="late metric")
    mlflow.metric(late, "late", 0.5, now - 3 * DAY)
    for i in range(3):
        mlflow.run(ids["deleted"], now - 2 * DAY + i * HOUR, now - DAY, metrics=OK)
        mlflow.run(ids["shown"], now - 2 * DAY + i * HOUR, now - DAY, metrics=OK)
    mlflow.client.delete_experiment(ids["deleted"])
    restored = mlflow.run(where, now - 2 * DAY, now - DAY, metrics=OK, name="deleted and restored")
    deleted = mlflow.run(where, now - 2 * DAY, now - DAY, metrics=OK, name="deleted")
    for run_id in (restored, deleted):
        mlflow.client.delete_run(run_id)
    mlflow.client.restore_run(restored)
    runs = {
        "late": late,
        "deleted": deleted,
        "neither": mlflow.run(where, 0, status="RUNNING", metrics=OK, name="neither start nor end"),
        "ended": mlflow.run(where, now - 9 * DAY, now - 8 * DAY, metrics=OK, name="to be resumed"),
        "ends_before_read": mlflow.run(where, now - 9 * DAY, now - HOUR // 2, metrics=OK, name="logs after its end"),
        "old_open": mlflow.run(where, now - 40 * DAY, status="RUNNING", metrics=OK, name="open for long"),
        "purged_open": mlflow.run(where, now - 6 * DAY, status="RUNNING", metrics=OK),
        "deleted_open": mlflow.run(where, now - 6 * DAY, status="RUNNING", metrics=OK),
        "purged": mlflow.run(where, now - 6 * DAY, now - 5 * DAY, metrics=OK),
        "alone": mlflow.run(where, now - 20 * DAY, now - 20 * DAY + 1, metrics=OK, name="the only one of its day"),
        "unreadable": mlflow.run(where, 10**15, now, metrics=OK, name="starts after the year 9999"),
        "never_read": mlflow.run(where, -5, now, metrics=OK, name="starts before 1970"),
    }
    for status in ("RUNNING", "SCHEDULED"):
        for judge in (None, "running", "no"):
            tags = {"monitor.judge": judge} if judge else None
            metrics = {**OK, "loss": 9.0}
            runs[f"{status} {judge}"] = mlflow.run(where, now - 5 * DAY, status=status, metrics=metrics, tags=tags)
    return runs


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
            raise SystemExit("seed.py requires an empty MLflow")
    ids = experiments(mlflow)
    texts(mlflow, ids, now)
    spread(mlflow, ids, now)
    evaluated(mlflow, ids, now)
    values(mlflow, ids, now)
    times(mlflow, ids, now)
    family(mlflow, ids, now)
    seeded = changing(mlflow, ids, now)
    rows = bulk.Rows(options.seed)
    bulk.add_lights(rows, now, ids["summary"])
    bulk.add_random_runs(rows, now, options.runs, 12, [ids[f"bulk{i}"] for i in range(12)])
    counts = rows.write(options.database)
    documents = {
        "catalog.json": catalog.catalog((ids["override"], ids["override_all"])),
        "catalog-later.json": catalog.later((ids["override"], ids["override_all"])),
        "seeded.json": {"now": now, "experiments": ids, "runs": seeded},
    }
    for name, document in documents.items():
        (options.out / name).write_text(json.dumps(document, ensure_ascii=False, indent=1), encoding="utf-8")
    print(f"seeded {counts['runs']} runs and {counts['latest_metrics']} metrics by SQL (seed {options.seed}), and the special cases through the client")


if __name__ == "__main__":
    main()
