"""A second implementation of the rules in docs/data.md: names, limits, statuses, lights. Settings have their defaults."""

import datetime
import fractions
import functools
import math
import re

LIGHT_SPAN_HOURS = 24
CRITICAL_RUNS_PERCENT, PASS_RATE_PERCENT, WARNING_RUNS_PERCENT, FAILED_RUNS_PERCENT = 20, 80, 5, 50
LARGEST = 1.7976931348623157e308
ORDER = ("critical", "invalid", "warning", "healthy", "unmonitored")
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)


WHITE_SPACE = "\t\n\v\f\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"


def present(text):
    return text if text is not None and text.strip(WHITE_SPACE) else None


def number(value):
    return None if value is None else float(value)


@functools.lru_cache(maxsize=None)
def expression(pattern):
    parts = {"*": ".*", "?": "."}
    return re.compile("".join(parts.get(c) or re.escape(c) for c in pattern), re.DOTALL)


def excluded(metric_name):
    return metric_name.startswith("system/")


def most_specific(rows, name):
    """The rows of the best matching name: the exact name, otherwise the longest pattern, of equal length the alphabetically first."""
    exact = [row for row in rows if row["metric_name"] == name]
    if exact:
        return exact
    patterns = {row["metric_name"] for row in rows if set(row["metric_name"]) & {"*", "?"}}
    matching = sorted((p for p in patterns if expression(p).fullmatch(name)), key=lambda p: (-len(p), p))
    return [row for row in rows if matching and row["metric_name"] == matching[0]]


def instant(text):
    """Microseconds since the epoch."""
    if present(text) is None:
        return None
    moment = datetime.datetime.fromisoformat(text.strip().replace("Z", "+00:00"))
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=datetime.timezone.utc)
    return (moment - EPOCH) // datetime.timedelta(microseconds=1)


class Catalog:
    """The rows of a catalog, and the rule for each metric of an experiment."""

    def __init__(self, metrics, thresholds):
        self.metrics = [row for row in metrics if present(row["metric_name"])]
        self.thresholds = [row for row in thresholds if present(row["metric_name"])]
        self.cache = {}

    def rule(self, experiment_id, name):
        if (experiment_id, name) not in self.cache:
            self.cache[experiment_id, name] = self.find_rule(experiment_id, name)
        return self.cache[experiment_id, name]

    def threshold(self, experiment_id, name, better):
        for experiment in (experiment_id, None):
            rows = most_specific([r for r in self.thresholds if present(r["experiment_id"]) == experiment], name)
            if rows:
                break

        def strictness(limit):
            if limit is None:
                return (0, 0.0)
            return (1, -limit if better is False else limit)

        def precedence(numbered):
            number, row = numbered
            at = instant(row["updated_at"])
            newest = (0, 0) if at is None else (1, at)
            return (newest, strictness(row["critical_threshold"]), strictness(row["warning_threshold"]), number)

        return max(enumerate(rows), key=precedence)[1] if rows else None

    def find_rule(self, experiment_id, name):
        described = (most_specific(self.metrics, name) or [None])[-1] or {}
        better = described.get("higher_is_better")
        row = self.threshold(experiment_id, name, better)
        critical, warning = (row["critical_threshold"], row["warning_threshold"]) if row else (None, None)
        if better is None and None not in (critical, warning) and critical != warning:
            better = critical < warning
        return {
            "display_name": present(described.get("display_name")) or name,
            "description": present(described.get("description")),
            "unit": present(described.get("unit")),
            "category": present(described.get("category")),
            "higher_is_better": better,
            "critical_threshold": number(critical),
            "warning_threshold": number(warning),
            "threshold_source": row and ("experiment" if present(row["experiment_id"]) else "platform"),
            "threshold_updated_at": row and instant(row["updated_at"]),
            "threshold_updated_by": row and present(row["updated_by"]),
            "min_value": number(described.get("min")),
            "max_value": number(described.get("max")),
        }


class Rulebook:
    """The catalog of each day: the first rows of a metric name apply to all days, later ones from a certain day."""

    def __init__(self, document, changed=None, first_day=None):
        """`changed`: the later document; its changes apply from `first_day` (YYYY-MM-DD)."""
        self.first_day = first_day
        self.later = self.earlier = Catalog(document["metrics"], document["thresholds"])
        if changed is not None:
            self.later = Catalog(changed["metrics"], changed["thresholds"])
            known = {row["metric_name"] for rows in document.values() for row in rows}
            self.earlier = Catalog(
                *(document[key] + [row for row in changed[key] if row["metric_name"] not in known] for key in ("metrics", "thresholds"))
            )

    def of(self, day):
        return self.earlier if self.first_day is None or day < self.first_day else self.later


def counts_child(choices, patterns, names):
    """Whether a child run counts. `choices`: the tag monitor.nested of the run, then of its experiment. `names`: of application and experiment."""
    for choice in choices:
        if choice in ("count", "ignore"):
            return choice == "count"
    return any(expression(pattern).fullmatch(name) for pattern in patterns for name in names)


def invalid_kind(value):
    if math.isnan(value):
        return "nan"
    if abs(value) >= LARGEST:
        return "inf" if value > 0 else "-inf"
    return None


def status_of(value, rule):
    better, limits = rule["higher_is_better"], (rule["critical_threshold"], rule["warning_threshold"])
    if better is None or limits == (None, None):
        return "unmonitored"
    if invalid_kind(value):
        return "invalid"
    for status, limit in zip(("critical", "warning"), limits):
        if limit is not None and (value < limit if better else value > limit):
            return status
    return "healthy"


def worst(statuses):
    return min(statuses, key=ORDER.index, default="unmonitored")


def rates(counts):
    """Returns pass rate, strict pass rate and coverage in percent."""
    evaluated = counts["total"] - counts["unmonitored"]

    def percent(part, whole):
        return 100 * part / whole if whole else None

    passed = counts["healthy"] + counts["warning"]
    return percent(passed, evaluated), percent(counts["healthy"], evaluated), percent(evaluated, counts["total"])


def no_data(counts):
    """The reason of a span without a run that counts."""
    children, critical, running = counts["children"], counts["critical_children"], counts["running"]
    parts = []
    if children:
        are = "1 run is a child" if children == 1 else f"{children} runs are children"
        parts.append(f"{are} of another run and not counted" + (f" ({critical} critical)" if critical else ""))
    if running:
        parts.append("1 run has not ended" if running == 1 else f"{running} runs have not ended")
    span = f"in the last {LIGHT_SPAN_HOURS} h"
    return f"No run that counts {span}: {'; '.join(parts)}." if parts else f"No run {span}."


def light(counts):
    """Returns the light and its reason for the counts of the span."""
    total, healthy, warnings, critical, invalid, unmonitored, failed = (
        counts[key] for key in ("total", "healthy", "warning", "critical", "invalid", "unmonitored", "failed")
    )
    evaluated = total - unmonitored
    if total == 0:
        return "no_data", no_data(counts)

    def runs(number):
        return f"{number} run" if number == 1 else f"{number} runs"

    def are(number):
        return "is" if number == 1 else "are"

    def share(part, whole):
        return fractions.Fraction(100 * part, whole) if whole else None

    def shown(part, whole):
        tenths = math.floor(share(part, whole) * 10 + fractions.Fraction(1, 2))
        return f"{tenths // 10}.{tenths % 10} %"

    def part_of(part, words, limit):
        return f"{part} of {runs(evaluated)} {are(part)} {words} ({shown(part, evaluated)}); the limit is {limit} %."

    if evaluated:
        if share(critical, evaluated) > CRITICAL_RUNS_PERCENT:
            return "critical", part_of(critical, "critical", CRITICAL_RUNS_PERCENT)
        if share(healthy + warnings, evaluated) < PASS_RATE_PERCENT:
            return "critical", f"The pass rate is {shown(healthy + warnings, evaluated)}; the limit is {PASS_RATE_PERCENT} %."
        if share(critical + invalid, evaluated) > WARNING_RUNS_PERCENT:
            return "warning", part_of(critical + invalid, "critical or invalid", WARNING_RUNS_PERCENT)
        if share(healthy, evaluated) < PASS_RATE_PERCENT:
            return "warning", f"The strict pass rate is {shown(healthy, evaluated)}; the limit is {PASS_RATE_PERCENT} %."
    if share(failed, total) > FAILED_RUNS_PERCENT:
        return "warning", f"{failed} of {runs(total)} failed ({shown(failed, total)}); the limit is {FAILED_RUNS_PERCENT} %."
    if evaluated == 0:
        return "unmonitored", "The run has no threshold." if total == 1 else f"None of the {runs(total)} has a threshold."
    without = "1 has" if unmonitored == 1 else f"{unmonitored} have"
    if healthy == evaluated and unmonitored:
        those = "The run with a threshold is" if evaluated == 1 else f"All {evaluated} runs with a threshold are"
        return "healthy", f"{those} healthy; {without} none."
    if healthy == evaluated:
        return "healthy", "The run is healthy." if total == 1 else f"All {total} runs are healthy."
    parts = [
        warnings and ("1 is a warning" if warnings == 1 else f"{warnings} are warnings"),
        critical and f"{critical} {are(critical)} critical",
        invalid and f"{invalid} {are(invalid)} invalid",
        unmonitored and f"{without} no threshold",
    ]
    return "healthy", f"{healthy} of {runs(total)} {are(healthy)} healthy, {', '.join(part for part in parts if part)}."
