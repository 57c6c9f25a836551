"""Reads runs with MLflow's Python client, judges their metrics and averages them, and writes Parquet: what teams write themselves.

Usage: clients.py loops|vectorised|duckdb <tracking URI> <catalog.json> <folder of the result>
Prints JSON: seconds without the imports, CPU seconds (with them), peak memory in MB.
"""

import json
import os
import pathlib
import resource
import sys
import time

os.environ.update(MLFLOW_DISABLE_TELEMETRY="true", MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT="true")

import duckdb  # noqa: E402
import mlflow  # noqa: E402
import numpy  # noqa: E402
import pandas  # noqa: E402

ORDER = ["application", "metric_name", "timestamp", "run_id"]
COLUMNS = ["run_id", "application", "timestamp", "metric_name", "value"]
WINDOW = pandas.Timedelta(hours=24)
PAGE = 1000


def pages(client, experiments):
    """All runs, page by page."""
    token = None
    while True:
        page = client.search_runs(experiments, max_results=PAGE, order_by=["attributes.start_time ASC"], page_token=token)
        yield page
        token = page.token
        if not token:
            return


def rows_of(page):
    for run in page:
        for name, value in run.data.metrics.items():
            yield run.info.run_id, run.data.tags["application"], run.info.start_time, name, value


def write(frame, folder, dataset):
    for day, rows in frame.groupby(frame["timestamp"].dt.strftime("%Y/%m/%d")):
        target = folder / dataset / day
        target.mkdir(parents=True)
        rows.to_parquet(target / "part-0.parquet", compression="zstd", index=False)


def loops(client, experiments, rules, folder):
    """A row at a time, as in most notebooks."""
    rows = [row for page in pages(client, experiments) for row in rows_of(page)]
    frame = pandas.DataFrame(rows, columns=COLUMNS)
    frame["timestamp"] = pandas.to_datetime(frame["timestamp"], unit="ms", utc=True)
    statuses, averages = {}, {}
    for i, row in frame.iterrows():
        critical, warning = rules.get(row["metric_name"], (None, None))
        if critical is None:
            statuses[i] = "unmonitored"
        elif numpy.isnan(row["value"]):
            statuses[i] = "invalid"
        else:
            statuses[i] = "critical" if row["value"] < critical else "warning" if row["value"] < warning else "healthy"
    for _, series in frame.groupby(["application", "metric_name"]):
        for i, row in series.iterrows():
            inside = (series["timestamp"] > row["timestamp"] - WINDOW) & (series["timestamp"] <= row["timestamp"])
            averages[i] = series.loc[inside, "value"].mean()
    frame["status"] = pandas.Series(statuses)
    frame["moving_avg"] = pandas.Series(averages)
    write(frame.sort_values(ORDER), folder, "metric_timeseries")
    hours = []
    for (application, hour), group in frame.groupby(["application", frame["timestamp"].dt.floor("h")]):
        counts = {"application": application, "timestamp": hour, "total_runs": group["run_id"].nunique()}
        worst = {}
        for _, row in group.iterrows():
            worst.setdefault(row["run_id"], set()).add(row["status"])
        counts["critical_runs"] = sum("critical" in found for found in worst.values())
        hours.append(counts)
    write(pandas.DataFrame(hours), folder, "application_summary")


def vectorised(client, experiments, rules, folder):
    """Whole columns at a time."""
    frame = pandas.concat([pandas.DataFrame(rows_of(page), columns=COLUMNS) for page in pages(client, experiments)], ignore_index=True)
    frame["timestamp"] = pandas.to_datetime(frame["timestamp"], unit="ms", utc=True)
    limits = pandas.DataFrame([(name, *limit) for name, limit in rules.items()], columns=["metric_name", "critical", "warning"])
    frame = frame.merge(limits, on="metric_name", how="left").sort_values(ORDER, ignore_index=True)
    conditions = [frame["critical"].isna(), frame["value"].isna(), frame["value"] < frame["critical"], frame["value"] < frame["warning"]]
    frame["status"] = numpy.select(conditions, ["unmonitored", "invalid", "critical", "warning"], "healthy")
    rolling = frame.set_index("timestamp").groupby(["application", "metric_name"])["value"].rolling(WINDOW, min_periods=1).mean()
    frame["moving_avg"] = rolling.to_numpy()
    write(frame.drop(columns=["critical", "warning"]), folder, "metric_timeseries")
    runs = frame.assign(critical=frame["status"] == "critical").groupby(["application", "run_id", "timestamp"], as_index=False)["critical"].any()
    hours = runs.groupby(["application", runs["timestamp"].dt.floor("h")]).agg(total_runs=("run_id", "size"), critical_runs=("critical", "sum"))
    write(hours.reset_index(), folder, "application_summary")


def with_duckdb(client, experiments, rules, folder):
    """The client's pages as columns, everything else in SQL."""
    frame = pandas.concat([pandas.DataFrame(rows_of(page), columns=COLUMNS) for page in pages(client, experiments)], ignore_index=True)
    limits = pandas.DataFrame([(name, *limit) for name, limit in rules.items()], columns=["metric_name", "critical", "warning"])
    database = duckdb.connect()
    database.execute("SET TimeZone = 'UTC'")
    database.register("frame", frame)
    database.register("limits", limits)
    database.execute("""
        CREATE TABLE timeseries AS
        SELECT run_id, application, make_timestamp("timestamp" * 1000)::TIMESTAMPTZ AS "timestamp", metric_name,
          CASE WHEN NOT isnan("value") THEN "value" END AS "value",
          CASE WHEN critical IS NULL THEN 'unmonitored' WHEN "value" IS NULL OR isnan("value") THEN 'invalid' WHEN "value" < critical THEN 'critical'
            WHEN "value" < warning THEN 'warning' ELSE 'healthy' END AS status,
          avg("value") FILTER (NOT isnan("value")) OVER (PARTITION BY application, metric_name ORDER BY make_timestamp("timestamp" * 1000)
            RANGE BETWEEN INTERVAL 86399999 MILLISECONDS PRECEDING AND CURRENT ROW) AS moving_avg
        FROM frame LEFT JOIN limits USING (metric_name)
        ORDER BY application, metric_name, "timestamp", run_id""")
    database.execute("""
        CREATE TABLE hours AS
        SELECT application, date_trunc('hour', "timestamp") AS "timestamp", count(DISTINCT run_id) AS total_runs,
          count(DISTINCT run_id) FILTER (status = 'critical') AS critical_runs
        FROM timeseries GROUP BY ALL ORDER BY ALL""")
    days = database.execute("SELECT DISTINCT \"timestamp\"::DATE AS day FROM timeseries").fetchall()
    for dataset, table in (("metric_timeseries", "timeseries"), ("application_summary", "hours")):
        for (day,) in days:
            target = folder / dataset / day.strftime("%Y/%m/%d")
            target.mkdir(parents=True)
            database.execute(f"COPY (SELECT * FROM {table} WHERE \"timestamp\"::DATE = DATE '{day}') TO '{target}/part-0.parquet' (COMPRESSION zstd)")


def peak_memory():
    """MB of this program alone: `ru_maxrss` also contains the memory of the process that started it."""
    try:
        status = pathlib.Path("/proc/self/status").read_text(encoding="ascii")
        return int(status.split("VmHWM:")[1].split()[0]) / 1024
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main(mode, uri, catalog, folder):
    rules = {
        row["metric_name"]: (row["critical_threshold"], row["warning_threshold"])
        for row in json.loads(pathlib.Path(catalog).read_text(encoding="utf-8"))["thresholds"]
    }
    start = time.perf_counter()
    client = mlflow.MlflowClient(uri)
    experiments = [experiment.experiment_id for experiment in client.search_experiments()]
    {"loops": loops, "vectorised": vectorised, "duckdb": with_duckdb}[mode](client, experiments, rules, pathlib.Path(folder))
    seconds = time.perf_counter() - start
    usage = resource.getrusage(resource.RUSAGE_SELF)
    print(json.dumps({"seconds": seconds, "cpu": usage.ru_utime + usage.ru_stime, "memory": peak_memory()}))


if __name__ == "__main__":
    main(*sys.argv[1:])
