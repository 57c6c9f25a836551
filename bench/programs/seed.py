"""Inserts the runs of a file, one JSON object a line, into MLflow's tables by SQL: sending them would take hours."""

import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "test/independent"))
import bulk  # noqa: E402

BATCH = 5_000


def main(database, file):
    rows = bulk.Rows(1)
    with open(file, encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            run = json.loads(line)
            metrics = [(m["key"], float("nan") if m["value"] is None else m["value"], m["timestamp"], m["step"]) for m in run["metrics"]]
            times = (run["start_time"], run["end_time"], run["status"])
            rows.run(run["experiment_id"], *times, run["run_name"], run["user_id"], metrics, run["tags"], run["params"])
            if number % BATCH == 0:
                rows.write(database)
                rows.tables = {table: [] for table in rows.tables}
    rows.write(database)


if __name__ == "__main__":
    main(*sys.argv[1:])
