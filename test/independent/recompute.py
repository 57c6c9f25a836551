"""Recomputes every dataset from MLflow's SQLite file and compares the service's Parquet with it, cell by cell.

Usage: recompute.py --database mlflow.db --catalog catalog.json --store folder --from-day YYYY-MM-DD --run delta-1
  --from-day: the first day of the longest lookback so far. --run: the last pipeline run.
  --changed file --changed-from YYYY-MM-DD: the current catalog, and the day from which its changes apply.
  --include patterns: names of the experiments that the service monitors, separated by commas.
  --nested patterns: names of the applications and experiments whose child runs count, separated by commas.
  --memory file: state between comparisons of one store (runs that were read, times of runs without a start).
  --quality file: what the command `quality` printed as JSON about some days.
  --at-least N: fewer cells are an error.
Exits with 1 and the first differences if any cell differs.
"""

import argparse
import collections
import datetime
import hashlib
import json
import pathlib
import re
import sys

import duckdb
import expected
import quality
from rules import Rulebook
from series import DAY
from tails import Forecasts

TEXT = "VARCHAR"
TIME = "TIMESTAMP WITH TIME ZONE"
TEXTS, NUMBERS = "MAP(VARCHAR, VARCHAR)", "MAP(VARCHAR, DOUBLE)"
METRIC = '"key" VARCHAR, "timestamp" BIGINT, step BIGINT, "value" DOUBLE, model_id VARCHAR, dataset_name VARCHAR, dataset_digest VARCHAR'
SUMMARY = "latest_value DOUBLE, latest_status VARCHAR, avg_value DOUBLE, trend DOUBLE, display_name VARCHAR, unit VARCHAR"
SPECIAL = {
    "date": "DATE",
    **dict.fromkeys(("timestamp", "start_time", "end_time", "metric_timestamp", "threshold_updated_at"), TIME),
    **dict.fromkeys(("eligible", "higher_is_better", "ignored_child"), "BOOLEAN"),
    **dict.fromkeys(("evaluated_metrics", "total_metrics", *(f"{name}_runs" for name in expected.COUNTS)), "INTEGER"),
    **dict.fromkeys(("value", "moving_avg", "forecast", "critical_threshold", "warning_threshold", "min_value", "max_value"), "DOUBLE"),
    **dict.fromkeys(("pass_rate", "strict_pass_rate", "coverage", "pass_rate_trend"), "DOUBLE"),
    **dict.fromkeys(("params", "tags"), TEXTS),
    **dict.fromkeys(("lower_80", "upper_80", "lower_95", "upper_95"), "DOUBLE"),
    **dict.fromkeys((f"{limit}_{time}" for limit in ("breach", "warning", "critical") for time in ("earliest", "expected")), TIME),
    "fitted_at": TIME,
    "points": "INTEGER",
    "step": "BIGINT",
    "run_summary_metrics": NUMBERS,
    "metrics": f"STRUCT({METRIC})[]",
    "metrics_summary": f"MAP(VARCHAR, STRUCT({SUMMARY}))",
    "recent_run_ids": "VARCHAR[]",
    "active_applications": "VARCHAR[]",
}
HOUR_COLUMNS = """total_runs critical_runs warning_runs healthy_runs invalid_runs unmonitored_runs running_runs failed_runs
    pass_rate strict_pass_rate coverage light light_reason"""
RUN_COLUMNS = "date timestamp run_id run_name experiment_id experiment_name application user_id run_status"
COLUMNS = {
    "runs": f"""{RUN_COLUMNS} start_time end_time parent_run_id eligible status evaluated_metrics total_metrics
        params tags run_summary_metrics ignored_child""",
    "enriched_metrics": f"""{RUN_COLUMNS} eligible metric_name value step metric_timestamp model_id dataset_name display_name
        description unit category higher_is_better critical_threshold warning_threshold threshold_source
        threshold_updated_at threshold_updated_by status invalid_kind min_value max_value""",
    "metric_timeseries": """date timestamp run_id run_name user_id application metric_name value status moving_avg forecast
        critical_threshold warning_threshold run_summary_metrics display_name unit""",
    "metric_forecast": """date timestamp application metric_name forecast lower_80 upper_80 lower_95 upper_95 breach_status
        breach_earliest breach_expected warning_earliest warning_expected critical_earliest critical_expected
        model points fitted_at""",
    "application_summary": f"date timestamp application {HOUR_COLUMNS} metrics_summary",
    "platform_summary": f"date timestamp {HOUR_COLUMNS} pass_rate_trend recent_run_ids active_applications",
    # Only the parts of its record that the database determines, and whether the digest matches the record.
    "quarantine": "run_id pipeline_run_id reason record record_digest",
    # Only the columns with MLflow's data: the others hold digests and observation times of the service.
    "_base": """date timestamp run_id run_name experiment_id user_id run_status start_time end_time lifecycle_stage
        params tags metrics inputs""",
}
SORTED_BY = ("application", "metric_name", "timestamp", "run_id")


class Comparison:
    def __init__(self, store, parts):
        self.store = store
        self.parts = parts
        self.duck = duckdb.connect()
        self.cells = collections.Counter()
        self.differences = []

    def differ(self, *what):
        self.differences.append(": ".join(str(part) for part in what))

    def rows(self, name):
        """The rows of a dataset and their parts."""
        files = self.files(name)
        return self.read(name, COLUMNS[name].split(), files) if files else ([], [])

    def forecasts(self, metrics):
        """Compares what tails.py recomputes from the rows of enriched_metrics and the published parameters."""
        timeseries, published = self.rows("metric_timeseries")[0], self.rows("metric_forecast")[0]
        # Their order, and whether each is in the right file.
        self.dataset("metric_forecast", published)
        forecasts = Forecasts(metrics, published)
        checked = forecasts.check_rows(timeseries)
        forecasts.check_series()
        self.cells["forecasts"] += forecasts.compared
        for problem in forecasts.problems:
            self.differ("forecasts", problem)
        if checked == 0:
            self.differ("forecasts", "no row was compared")

    def quality(self, metrics, document):
        """Compares the totals of the command `quality`, the document that it printed."""
        wanted = quality.totals(metrics, document["from"], document["to"])
        checks = {check["check_name"]: check for check in document["checks"] if check["application"] is None}
        for name, values in wanted.items():
            for column, value in values.items():
                self.cells["quality"] += 1
                found = checks.get(name, {}).get(column)
                if value != found:
                    self.differ("quality", name, column, f"expected {value!r}, is {found!r}")

    def dataset(self, name, rows):
        columns = COLUMNS[name].split()
        actual, parts = self.rows(name)
        keys = [key for key in SORTED_BY if key in columns]
        if name == "metric_forecast":
            # Forecasts of two days may have steps at the same time.
            keys = ["date", *keys]
        order = [key for key in ("date", *keys) if key in columns]

        def position(row):
            keys = [row[key].encode() if isinstance(row[key], str) else row[key] for key in order]
            # The files of a day follow each other in the order of their parts.
            return tuple([keys[0], self.part_of(name, row), *keys[1:]] if order[0] == "date" else keys)

        def label(row):
            return ", ".join(str(row[key]) for key in keys)

        wanted = sorted(rows, key=position)
        remaining = {tuple(row[key] for key in keys): row for row in actual}
        if len(remaining) != len(actual):
            self.differ(name, f"{len(actual) - len(remaining)} rows are duplicates")
        for row in wanted:
            other = remaining.pop(tuple(row[key] for key in keys), None)
            self.cells[name] += len(columns)
            if other is None:
                self.differ(name, label(row), "the row is missing")
                continue
            for column in columns:
                if not same(row[column], other[column]):
                    self.differ(name, label(row), column, f"expected {row[column]!r}, is {other[column]!r}")
        for row in remaining.values():
            self.differ(name, label(row), "the row is unexpected")
        for row, part in zip(actual, parts):
            if part != self.part_of(name, row):
                self.differ(name, label(row), f"the row is in part {part}, expected {self.part_of(name, row)}")
        if not remaining and name not in ("_base", "quarantine") and [position(row) for row in actual] != [position(row) for row in wanted]:
            self.differ(name, "the rows of a file are not sorted")

    def files(self, name):
        """Paths in the order of their days; any other file is a difference."""
        paths = sorted(path for path in (self.store / name).rglob("*") if path.is_file())
        for path in paths:
            found = re.fullmatch(r"\d{4}/\d\d/\d\d/part-(\d+)\.parquet", path.relative_to(self.store / name).as_posix())
            if not found or int(found.group(1)) >= self.parts_of(name):
                self.differ(name, "unexpected file", path)
        for day in {path.parent for path in paths}:
            # Only a part of the facts may be missing: one without runs.
            if name != "_base" and len(list(day.iterdir())) != self.parts_of(name):
                self.differ(name, day, "the day does not have all its parts")
        return [str(path) for path in paths]

    def part_of(self, name, row):
        text = row["run_id" if name == "_base" else "application"] if self.parts_of(name) > 1 else ""
        return int(hashlib.sha256(text.encode()).hexdigest()[:8], 16) % self.parts_of(name)

    def parts_of(self, name):
        return 1 if name in ("platform_summary", "quarantine", "threshold_changes") else self.parts

    def read(self, name, columns, files):
        source = "read_parquet(?, filename = true, file_row_number = true)"
        described = self.duck.execute(f"DESCRIBE SELECT * EXCLUDE (filename, file_row_number) FROM {source}", [files]).fetchall()
        types = {row[0]: row[1] for row in described}
        wanted = {column: SPECIAL.get(column, TEXT) for column in columns}
        if name in ("_base", "quarantine"):
            types = {column: types.get(column) for column in columns}
        canonical = [(column, str(type_of(self.duck, kind))) for column, kind in wanted.items()]
        if [(column, str(type_of(self.duck, kind))) for column, kind in types.items()] != canonical:
            self.differ(name, "columns", f"expected {wanted}, are {types}")
        selected = ", ".join(
            f'epoch_us("{c}")' if wanted[c] == TIME else f'CAST("{c}" AS VARCHAR)' if wanted[c] == "DATE" else f'"{c}"'
            for c in columns
        )
        query = f"SELECT filename, {selected} FROM {source} ORDER BY filename, file_row_number"
        rows, parts = [], []
        for path, *values in self.duck.execute(query, [files]).fetchall():
            row = dict(zip(columns, values))
            if name == "_base":
                row["inputs"] = json.loads(row["inputs"])
            if name == "quarantine":
                row["record_digest"] = row["record_digest"] == hashlib.sha256(row["record"].encode()).hexdigest()
                info = json.loads(row["record"])["info"]
                row["record"] = {"run_id": info["run_id"], "start_time": int(info["start_time"])}
            elif row["date"] != "-".join(pathlib.PurePath(path).parts[-4:-1]):
                self.differ(name, path, f"contains a row of {row['date']}")
            rows.append(row)
            parts.append(int(re.search(r"part-(\d+)", path).group(1)))
        return rows, parts


def type_of(duck, text):
    return duck.execute(f"SELECT typeof(NULL::{text})").fetchone()[0] if text else "absent"


def same(a, b):
    """Whether both are equal to the last bit and in the same order. NaN, which only the base may contain, equals NaN."""
    if a is expected.RECOMPUTED:
        return True
    if isinstance(a, dict):
        return isinstance(b, dict) and list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list):
        return isinstance(b, list) and len(a) == len(b) and all(map(same, a, b))
    return a == b or (isinstance(a, float) and isinstance(b, float) and a != a and b != b)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", required=True)
    parser.add_argument("--catalog", type=pathlib.Path, required=True)
    parser.add_argument("--store", type=pathlib.Path, required=True)
    parser.add_argument("--from-day", type=datetime.date.fromisoformat, required=True)
    parser.add_argument("--run", required=True)
    parser.add_argument("--changed", type=pathlib.Path)
    parser.add_argument("--changed-from")
    parser.add_argument("--include", default="")
    parser.add_argument("--nested", default="")
    parser.add_argument("--memory", type=pathlib.Path)
    parser.add_argument("--quality", type=pathlib.Path)
    parser.add_argument("--at-least", type=int, default=1)
    parser.add_argument("--parts", type=int, default=1)
    options = parser.parse_args()
    since = (options.from_day - datetime.date(1970, 1, 1)).days * DAY
    memory = {"seen": {}, "times": {}, "unreadable": {}}
    if options.memory and options.memory.exists():
        memory = json.loads(options.memory.read_text(encoding="utf-8"))
    documents = [json.loads(path.read_text(encoding="utf-8")) for path in (options.catalog, options.changed) if path]
    rulebook = Rulebook(*documents, first_day=options.changed_from)
    patterns = {name: [pattern for pattern in getattr(options, name).split(",") if pattern] for name in ("include", "nested")}
    comparison = Comparison(options.store, options.parts)
    datasets = expected.datasets(options.database, rulebook, memory, since, patterns, options.run)
    for name, rows in datasets.items():
        comparison.dataset(name, rows)
    comparison.forecasts(datasets["enriched_metrics"])
    if options.quality:
        comparison.quality(datasets["enriched_metrics"], json.loads(options.quality.read_text(encoding="utf-8")))
    if options.memory:
        options.memory.write_text(json.dumps(memory), encoding="utf-8")
    total = sum(comparison.cells.values())
    if total < options.at_least:
        comparison.differ("cells", f"only {total} compared, expected at least {options.at_least}")
    parts = ", ".join(f"{name} {count:,}" for name, count in comparison.cells.items() if count)
    print(f"independent, after {options.run}: {total:,} cells compared ({parts})", flush=True)
    if comparison.differences:
        print(f"independent: {len(comparison.differences):,} differences, the first:", file=sys.stderr)
        kinds = collections.Counter()
        for text in comparison.differences:
            kind = text.partition(":")[0]
            kinds[kind] += 1
            if kinds[kind] <= 5:
                print(f"  {text[:1000]}", file=sys.stderr)
        raise SystemExit(1)


if __name__ == "__main__":
    main()
