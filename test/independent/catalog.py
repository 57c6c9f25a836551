"""The catalog of the test: for each rule that selects a threshold row, there are metrics for which only that rule decides."""


def metric(name, display=None, better=None, description=None, unit=None, category=None, **domain):
    """`domain`: `min` and `max`."""
    return {
        **domain,
        "metric_name": name,
        "display_name": display,
        "description": description,
        "unit": unit,
        "category": category,
        "higher_is_better": better,
    }


def limits(name, critical, warning, experiment=None, at="2026-01-01T00:00:00Z", by="platform team"):
    return {
        "metric_name": name,
        "critical_threshold": critical,
        "warning_threshold": warning,
        "experiment_id": experiment,
        "updated_at": at,
        "updated_by": by,
    }


def catalog(overrides):
    """`overrides`: ids of two experiments with their own rows."""
    first, second = overrides
    metrics = [
        metric("accuracy", "Accuracy", True, "Share of right answers", "%", "quality", min=0, max=1),
        metric("*accuracy", "Any accuracy", True, "A pattern", "%", "quality"),
        metric("loss", "Loss, overwritten", True, None, None, "quality"),
        metric("loss", "Loss", False, "Last of equal names", "nats", "quality"),
        metric("latency_ms", "Latency \"p95\"", False, "it's <b>slow</b>\\", "ms", "speed", min=0),
        metric("auc", "AUC", None, "", " ", "quality"),
        metric("rmse", "  ", False, "", "", " \t"),
        metric("throughput", "Durchsatz ✓ 😀", True, None, "1/s", None),
        metric("equal/*", "Equal limits", False),
        metric("wrong_order", "Wrong order", True),
        metric("tie/m*", "second", True),
        metric("*ie/m*", "first", True),
        metric("tie/?*", "third", True),
        metric("len/😀*", "four or seven", True),
        metric("len/*", "shorter", False),
        metric("one_null/*", "One limit", True),
        metric("at/*", "Newest", True),
        metric("strict/low*", "Lower is stricter", False),
        metric("strict/high*", "Higher is stricter", True),
        metric("no_rows", "Known but without thresholds", True, None, "u", "c"),
        metric("my_metric*", "an underscore is no wildcard", True),
        metric("m[ey]*", "brackets are no class", True),
        metric("a.b", "a dot is a dot", True),
        metric("edge/*", "Extremes", True),
    ]
    new, old = "2026-03-01T09:00:00Z", "2026-03-01T10:00:00+02:00"
    thresholds = [
        limits("accuracy", 0.7, 0.85),
        limits("accuracy", 0.6, 0.8, first, at="2025-01-01T00:00:00Z", by="first's owner"),
        limits("*accuracy", 0.5, 0.65),
        limits("*", 0.9, 0.95, second, by="everything of second"),
        limits("*curacy", 0.55, 0.6, second, by=" "),
        limits("loss", 1.5, 1.0),
        limits("latency_ms", 500, 250, "", at="2026-02-01T00:00:00.000001-05:30", by=""),
        limits("auc", 0.6, 0.75),
        limits("drift", 0.4, 0.2),
        limits("rmse", 12, None),
        limits("throughput", None, 100.25),
        limits("equal/directed", 250, 250),
        limits("equal_undirected", 1, 1),
        limits("both_null", None, None),
        limits("wrong_order", 0.9, 0.8),
        limits("only_critical_undirected", 0.5, None),
        limits("tie/m*", 0.1, 0.2),
        limits("*ie/m*", 0.7, 0.8),
        limits("tie/?*", 0.3, 0.4),
        limits("len/*", 0.1, 0.2),
        limits("len/😀*", 0.6, 0.8),
        limits("len/😀?*", 0.5, 0.7),
        limits("one_null/critical", 0.5, None),
        limits("one_null/warning", None, 0.5),
        # Points in time are compared, not texts: 10:00+02:00 is before 09:00Z.
        limits("at/offsets", 0.2, 0.3, at=old, by="older, larger text"),
        limits("at/offsets", 0.6, 0.7, at=new, by="newer"),
        limits("at/offsets", 0.1, 0.2, at="2026-03-01T08:30:00+00:00", by="oldest"),
        limits("at/micros", 0.6, 0.7, at="2026-03-01T09:00:00.123789Z", by="newer by 333 us"),
        limits("at/micros", 0.9, 0.95, at="2026-03-01T09:00:00.123456Z", by="older"),
        limits("at/null", 0.9, 0.95, at=None, by="no time"),
        limits("at/null", 0.6, 0.7, at="2020-01-01T00:00:00Z", by="some time"),
        limits("at/same", 0.8, 0.9, at=old, by="stricter"),
        limits("at/same", 0.6, 0.7, at="2026-03-01T08:00:00Z", by="looser, same instant"),
        limits("strict/low", 9, 5, by="looser"),
        limits("strict/low", 8, 5, by="stricter critical"),
        limits("strict/low", None, 1, by="null is the loosest"),
        limits("strict/low2", 8, 5, by="looser warning"),
        limits("strict/low2", 8, 4, by="stricter warning"),
        limits("strict/high", 0.5, 0.9, by="looser"),
        limits("strict/high", 0.6, 0.7, by="stricter critical"),
        limits("strict/high2", 0.6, None, by="no warning"),
        limits("strict/high2", 0.6, 0.65, by="some warning"),
        limits("strict_unknown", 8, 5, by="higher is stricter without a direction"),
        limits("strict_unknown", 7, 4, by="looser then"),
        limits("last_wins", 0.5, 0.6, by="first"),
        limits("last_wins", 0.5, 0.6, by="last"),
        limits("my_metric*", 0.5, 0.6),
        limits("m[ey]*", 0.5, 0.6),
        limits("a.b", 0.5, 0.6),
        limits("Case", 0.5, 0.6),
        limits("edge/*", -1e308, 5e-324),
        limits("no_such_metric", 0.5, 0.6, "999999"),
    ]
    return {"metrics": metrics, "thresholds": thresholds}


def later(overrides):
    """The changed catalog: changes apply from a certain day, rows of new metric names to all days."""
    document = catalog(overrides)
    metrics = [row for row in document["metrics"] if row["metric_name"] != "a.b"]
    thresholds = [row for row in document["thresholds"] if row["metric_name"] not in ("drift", "loss", "*curacy")]
    for row in metrics:
        if row["metric_name"] == "latency_ms":
            row["display_name"] = "Latency, renamed"
    # Stricter limits, a new row of an experiment, and a new pattern; rows were removed above.
    thresholds += [limits("loss", 1.2, 0.8), limits("loss", 0.5, 0.4, overrides[0]), limits("*/unknown", 1.0, 2.0)]
    return {"metrics": [*metrics, metric("custom/*", "Custom", True)], "thresholds": thresholds}
