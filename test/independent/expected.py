"""Every dataset of docs/data.md, computed from MLflow's SQLite file."""

import collections
import datetime
import sqlite3

from rules import LIGHT_SPAN_HOURS, counts_child, excluded, expression, invalid_kind, light, present, rates, status_of, worst
from series import DAY, HOUR, Series

# The value is compared by tails.py, which needs the published parameters.
RECOMPUTED = object()
LAST_INSTANT = 253_402_300_799_999  # end of the year 9999
WINDOW = 24 * HOUR
SPAN = 7 * DAY
OPEN, ENDED = ("RUNNING", "SCHEDULED"), ("FINISHED", "FAILED", "KILLED")
COUNTS = ("total", "critical", "warning", "healthy", "invalid", "unmonitored", "running", "failed")


def read(database):
    """Returns experiments by id, and runs by id with their metrics, params and tags."""
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=60)
    connection.row_factory = sqlite3.Row
    # One snapshot: runs that are created meanwhile have params, but are not among the runs.
    connection.execute("BEGIN")
    experiments = {}
    for row in connection.execute("SELECT experiment_id, name, lifecycle_stage FROM experiments"):
        experiments[str(row["experiment_id"])] = {"name": row["name"], "stage": row["lifecycle_stage"], "tags": {}}
    for row in connection.execute("SELECT experiment_id, key, value FROM experiment_tags"):
        experiments[str(row["experiment_id"])]["tags"][row["key"]] = row["value"]
    columns = "run_uuid, name, experiment_id, user_id, status, start_time, end_time, lifecycle_stage"
    runs = {}
    for row in connection.execute(f"SELECT {columns} FROM runs"):
        runs[row["run_uuid"]] = dict(row, experiment_id=str(row["experiment_id"]), params={}, tags={}, metrics={}, inputs=[])
    for table in ("params", "tags"):
        for row in connection.execute(f"SELECT run_uuid, key, value FROM {table} ORDER BY key"):
            if present(row["key"]) and present(row["value"]):
                runs[row["run_uuid"]][table][row["key"]] = row["value"]
    for row in connection.execute("SELECT run_uuid, key, value, timestamp, step, is_nan FROM latest_metrics ORDER BY key"):
        value = float("nan") if row["is_nan"] else row["value"]
        runs[row["run_uuid"]]["metrics"][row["key"]] = (value, row["timestamp"], row["step"])
    columns = "i.input_uuid, i.destination_id, d.name, d.digest, d.dataset_source_type, d.dataset_source, d.dataset_schema, d.dataset_profile"
    for row in connection.execute(f"SELECT {columns} FROM inputs i JOIN datasets d ON d.dataset_uuid = i.source_id WHERE i.destination_type = 'RUN'"):
        id, run_id, name, digest, source_type, source, schema, profile = row
        dataset = {"name": name, "digest": digest, "source_type": source_type, "source": source, "schema": schema, "profile": profile}
        tags = [dict(tag) for tag in connection.execute("SELECT name AS key, value FROM input_tags WHERE input_uuid = ?", [id])]
        runs[run_id]["inputs"].append({"tags": tags, "dataset": {key: value for key, value in dataset.items() if value is not None}})
    connection.close()
    return experiments, runs


class Scope:
    """What the service monitors. `since`: start of the longest lookback so far, ms."""

    def __init__(self, experiments, since, include, pipeline_run):
        self.since, self.pipeline_run = since, pipeline_run
        self.included = {id for id, e in experiments.items() if not include or any(expression(p).fullmatch(e["name"]) for p in include)}

    def includes(self, run):
        return run["experiment_id"] in self.included


def by_bytes(mapping):
    return dict(sorted(mapping.items(), key=lambda item: item[0].encode()))


def micros(milliseconds):
    return None if milliseconds is None else milliseconds * 1000


def day_of(milliseconds):
    return str(datetime.date(1970, 1, 1) + datetime.timedelta(days=milliseconds // DAY))


def published(runs, scope, memory):
    """The runs that the service has stored, by id, with their times. Updates `memory`, the state of earlier calls."""
    stored = {}
    seen, times, unreadable = memory["seen"], memory["times"], memory["unreadable"]
    for run_id, run in sorted(runs.items()):
        run["start_time"], run["end_time"] = run["start_time"] or None, run["end_time"] or None
        start, end = run["start_time"], run["end_time"]
        recent = max(start or 0, end or 0) >= scope.since or run["status"] in OPEN
        if not scope.includes(run) or not (recent or run_id in seen):
            continue
        if start is not None and not 0 <= start <= LAST_INSTANT:
            unreadable.setdefault(run_id, {"run_id": run_id, "start_time": start, "pipeline_run_id": scope.pipeline_run})
            continue
        unreadable.pop(run_id, None)
        # The first end that was read remains the time of a run without a start.
        if start is None and end is not None:
            times.setdefault(run_id, end)
        seen[run_id] = run
    for run_id, run in seen.items():
        time = run["start_time"] or times.get(run_id)
        if time is not None:
            gone = {} if run_id in runs else {"lifecycle_stage": "gone"}
            stored[run_id] = {**run, **gone, "time": time, "run_id": run_id}
    return stored


def quarantine(memory):
    for run in memory["unreadable"].values():
        facts = {"run_id": run["run_id"], "start_time": run["start_time"]}
        reason = "its start_time is not a time"
        yield {"run_id": run["run_id"], "pipeline_run_id": run["pipeline_run_id"], "reason": reason, "record": facts, "record_digest": True}


def base(stored):
    for run in stored.values():
        metrics = [
            {
                "key": key,
                "timestamp": time,
                "step": step,
                "value": value,
                "model_id": None,
                "dataset_name": None,
                "dataset_digest": None,
            }
            for key, (value, time, step) in by_bytes(run["metrics"]).items()
        ]
        # MLflow returns the tag if a run has no name.
        name = run["name"] or run["tags"].get("mlflow.runName")
        yield {
            "date": day_of(run["time"]),
            "timestamp": micros(run["time"]),
            "run_id": run["run_id"],
            "run_name": present(name),
            "experiment_id": run["experiment_id"],
            "user_id": present(run["user_id"]),
            "run_status": run["status"],
            "start_time": micros(run["start_time"]),
            "end_time": micros(run["end_time"]),
            "lifecycle_stage": run["lifecycle_stage"],
            "params": by_bytes(run["params"]),
            "tags": by_bytes(run["tags"]),
            "metrics": metrics,
            "inputs": {"dataset_inputs": run["inputs"]} if run["inputs"] else {},
        }


def evaluated(stored, experiments, rulebook, nested):
    """Rows of runs and of enriched_metrics. `nested`: patterns of the names whose child runs count."""
    runs, metrics = [], []
    for run in stored.values():
        experiment = experiments[run["experiment_id"]]
        if run["lifecycle_stage"] != "active" or experiment["stage"] != "active":
            continue
        tags, experiment_name = run["tags"], present(experiment["name"])
        application = tags.get("application") or present(experiment["tags"].get("application")) or experiment_name
        application = application or run["experiment_id"]
        choices = (tags.get("monitor.nested"), experiment["tags"].get("monitor.nested"))
        ignored = "mlflow.parentRunId" in tags and not counts_child(choices, nested, (application, experiment["name"]))
        ended = run["status"] in ENDED or tags.get("monitor.judge") == "running"
        shared = {
            "date": day_of(run["time"]),
            "timestamp": micros(run["time"]),
            "run_id": run["run_id"],
            "run_name": present(run["name"]) or tags.get("mlflow.runName") or run["run_id"][:8],
            "experiment_id": run["experiment_id"],
            "experiment_name": experiment_name,
            "application": application,
            "user_id": tags.get("mlflow.user") or present(run["user_id"]),
            "run_status": run["status"],
            "eligible": not ignored and ended,
        }
        rows = []
        for name, (value, time, step) in by_bytes(run["metrics"]).items():
            if excluded(name):
                continue
            rule = rulebook.of(shared["date"]).rule(run["experiment_id"], name)
            kind = invalid_kind(value)
            row = {"metric_name": name, "value": None if kind else value, "step": step, "metric_timestamp": micros(time) if 0 <= time <= LAST_INSTANT else None}
            result = {"status": status_of(value, rule), "invalid_kind": kind}
            rows.append({**shared, **row, "model_id": None, "dataset_name": None, **rule, **result})
        metrics += rows
        runs.append({
            **shared,
            "start_time": micros(run["start_time"]),
            "end_time": micros(run["end_time"]),
            "parent_run_id": tags.get("mlflow.parentRunId"),
            "status": worst(row["status"] for row in rows),
            "evaluated_metrics": sum(row["status"] != "unmonitored" for row in rows),
            "total_metrics": len(rows),
            "params": by_bytes(run["params"]),
            "tags": by_bytes(tags),
            "run_summary_metrics": {row["metric_name"]: row["value"] for row in rows},
            "ignored_child": ignored,
        })
    return runs, metrics


def all_series(metrics):
    points = collections.defaultdict(list)
    for row in metrics:
        if row["eligible"]:
            points[row["application"], row["metric_name"]].append((row["timestamp"] // 1000, row["run_id"], row))
    return {key: Series(values) for key, values in points.items()}


def timeseries(metrics, series):
    of_run = collections.defaultdict(list)
    for row in metrics:
        of_run[row["run_id"]].append(row)
    for row in metrics:
        if not row["eligible"]:
            continue
        of_same_run = sorted(of_run[row["run_id"]], key=lambda r: (r["threshold_source"] is None, r["metric_name"].encode()))
        time = row["timestamp"] // 1000
        yield {
            **row,
            "moving_avg": series[row["application"], row["metric_name"]].mean(time - WINDOW + 1, time + 1),
            "forecast": RECOMPUTED,
            "run_summary_metrics": by_bytes({other["metric_name"]: other["value"] for other in of_same_run[:50]}),
        }


def hour_counts(runs):
    """Counts of runs by hour: `shown` is the number of runs that are no ignored child runs."""
    hours = collections.defaultdict(collections.Counter)
    for run in runs:
        counts = hours[run["timestamp"] // 1000 // HOUR * HOUR]
        if run["ignored_child"]:
            counts["children"] += 1
            counts["critical_children"] += run["status"] == "critical"
            continue
        counts["shown"] += 1
        counts["running"] += run["run_status"] in OPEN
        if run["eligible"]:
            counts["total"] += 1
            counts[run["status"]] += 1
            counts["failed"] += run["run_status"] in ("FAILED", "KILLED")
    return hours


def shown(hours):
    return [hour for hour, counts in hours.items() if counts["shown"]]


def span(hours, end):
    total = collections.Counter()
    for hour in range(end - LIGHT_SPAN_HOURS * HOUR, end, HOUR):
        total.update(hours.get(hour, {}))
    return total


def summary(hours, hour):
    """The columns that both summaries have for an hour."""
    counts = hours[hour]
    pass_rate, strict, coverage = rates(counts)
    shown, reason = light(span(hours, hour + HOUR))
    return {
        "date": day_of(hour),
        "timestamp": micros(hour),
        **{f"{name}_runs": counts[name] for name in COUNTS},
        "pass_rate": pass_rate,
        "strict_pass_rate": strict,
        "coverage": coverage,
        "light": shown,
        "light_reason": reason,
    }


def application_summary(runs, series):
    of_application = collections.defaultdict(list)
    for run in runs:
        of_application[run["application"]].append(run)
    names = collections.defaultdict(list)
    for application, metric in sorted(series, key=lambda key: key[1].encode()):
        names[application].append(metric)
    for application, own in of_application.items():
        hours = hour_counts(own)
        for hour in shown(hours):
            begin, end, metrics = hour + HOUR - SPAN, hour + HOUR, {}
            for name in names[application]:
                line = series[application, name]
                row = line.latest(begin, end)
                if row is None:
                    continue
                metrics[name] = {
                    "latest_value": row["value"],
                    "latest_status": row["status"],
                    "avg_value": line.mean(begin, end),
                    "trend": line.trend(begin, end),
                    "display_name": row["display_name"],
                    "unit": row["unit"],
                }
            yield {**summary(hours, hour), "application": application, "metrics_summary": metrics}


def platform_summary(runs):
    hours = hour_counts(runs)
    of_hour = collections.defaultdict(list)
    for run in runs:
        if not run["ignored_child"]:
            of_hour[run["timestamp"] // 1000 // HOUR * HOUR].append(run)
    for hour in shown(hours):
        end = hour + HOUR
        now, before = (rates(span(hours, at))[0] for at in (end, end - LIGHT_SPAN_HOURS * HOUR))
        newest = sorted((run for run in of_hour[hour] if run["eligible"]), key=lambda run: (-run["timestamp"], run["run_id"]))
        yield {
            **summary(hours, hour),
            "pass_rate_trend": None if now is None or before is None else now - before,
            "recent_run_ids": [run["run_id"] for run in newest[:5]],
            "active_applications": sorted({run["application"] for run in of_hour[hour]}, key=str.encode),
        }


def datasets(database, rulebook, memory, since, patterns, pipeline_run):
    """Rows by dataset. `patterns`: by setting, `include` and `nested`. Updates `memory`."""
    experiments, all_runs = read(database)
    stored = published(all_runs, Scope(experiments, since, patterns["include"], pipeline_run), memory)
    runs, metrics = evaluated(stored, experiments, rulebook, patterns["nested"])
    series = all_series(metrics)
    return {
        "_base": list(base(stored)),
        "runs": runs,
        "enriched_metrics": metrics,
        "metric_timeseries": list(timeseries(metrics, series)),
        "application_summary": list(application_summary(runs, series)),
        "platform_summary": list(platform_summary(runs)),
        "quarantine": list(quarantine(memory)),
    }
