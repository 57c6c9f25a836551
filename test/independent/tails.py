"""Recomputes the published forecasts of rows and series from the rows and the published parameters, as docs/forecast.md says.

Numbers are compared to a billionth of a standard deviation, for a sample of the series; which forecasts there are, for all.
"""

import collections
import json
import zlib
from decimal import Decimal
from statistics import NormalDist

from forecast import LEVEL_FACTOR, NORMAL, STEPS, Exact, Trend, season_at
from series import DAY

LOOKBACK, MOST, ENOUGH = 90 * DAY, 200, 50
LARGEST = Decimal("1.7976931348623157e308")
BORDERS = (("lower_80", -1, 0), ("upper_80", 1, 0), ("lower_95", -1, 1), ("upper_95", 1, 1))
# All numbers of all series take twice as long as everything else.
SAMPLE = 3


def is_sampled(key):
    return zlib.crc32("/".join(key).encode()) % SAMPLE == 0


class Points:
    """The valid points of a series, oldest first."""

    def __init__(self, rows):
        self.rows = [(time, row["value"]) for time, _, row in rows if row["value"] is not None]

    def before(self, cut):
        return [(time, value) for time, value in self.rows if cut - LOOKBACK < time < cut][-MOST:]


def has_forecast(points):
    return len(points) >= 5 and points[-1][0] > points[0][0]


class State:
    """Level and trend after some points, with published parameters. All numbers are in units of the metric."""

    def __init__(self, model, points):
        self.model, self.season, self.gap = model, model.get("season"), Decimal(model["meanGap"])
        self.time, first = points[0]
        self.value = self.level_of(first)
        self.trend = None
        if model["method"] == "trend":
            found = [Decimal(str(model[name])) for name in ("logLevelNoise", "logSlopeNoise", "logSlopeLoss")]
            published = Decimal(model["clipDeviation"]), Decimal(model["initialSlopeVariance"])
            self.trend = Trend(Exact, *found, *published, self.value)
        for time, value in points[1:]:
            self.observe(time, value)

    def level_of(self, value):
        return Decimal(value) - season_at(self.season, self.time)

    def observe(self, time, value):
        gap, self.time = (time - self.time) / self.gap, time
        self.value = self.level_of(value)
        if self.trend:
            self.trend.predict(gap)
            self.trend.correct(self.value)

    def expect(self, time):
        level = self.value
        if self.trend:
            gap = (time - self.time) / self.gap
            slope = self.trend.state[1][0]
            level = self.trend.state[0][0] + (Exact.exp(self.trend.ln_phi * gap) - 1) / self.trend.ln_phi * slope
        return clamp(level + season_at(self.season, time))


def clamp(number, lowest=None, highest=None):
    number = max(number, -LARGEST if lowest is None else Decimal(lowest))
    return min(number, LARGEST if highest is None else Decimal(highest))


class Forecasts:
    """Compares the forecasts of a store with the rows that it should be made from."""

    def __init__(self, metrics, published):
        """`metrics`: rows of enriched_metrics. `published`: rows of metric_forecast."""
        self.compared, self.problems = 0, []
        rows = collections.defaultdict(list)
        for row in metrics:
            if row["eligible"]:
                rows[row["application"], row["metric_name"]].append((row["timestamp"] // 1000, row["run_id"], row))
        self.series = {key: sorted(values, key=lambda point: point[:2]) for key, values in rows.items()}
        self.published = collections.defaultdict(list)
        for row in published:
            self.published[row["application"], row["metric_name"], row["date"]].append(row)

    def equal(self, key, name, actual, expected, scale):
        self.compared += 1
        if actual is None or expected is None:
            right = actual is expected
        else:
            expected = Decimal(expected)
            right = abs(Decimal(actual) - expected) <= Decimal(scale) / 10**9 + abs(expected) / 10**12
        if not right:
            self.problems.append(f"{', '.join(map(str, key))}: {name}: expected {expected}, is {actual}")

    def model(self, key, day):
        """The parameters that are published with the forecast of a day (its start, ms)."""
        rows = self.published.get((*key, day_text(day)))
        return json.loads(rows[0]["model"]) if rows else None

    def predictions(self):
        """The forecast of each row of metric_timeseries by run and metric, with a scale; None: there must be none."""
        found = {}
        for key, rows in self.series.items():
            points = Points(rows)
            by_day = collections.defaultdict(list)
            for time, run_id, row in rows:
                by_day[time // DAY * DAY].append((time, run_id, row["value"]))
            for day, own in sorted(by_day.items()):
                before = points.before(day)
                if not has_forecast(before):
                    found.update({(run_id, key[1]): None for _, run_id, _ in own})
                    continue
                if not is_sampled(key):
                    continue
                # Parameters from before a day are published with it or, while points are few, with the last day before it.
                model = self.model(key, day if len(before) >= ENOUGH else before[-1][0] // DAY * DAY)
                state = model and State(model, before)
                for time, run_id, value in own:
                    if state is None:
                        continue
                    found[run_id, key[1]] = (state.expect(time), Decimal(state.model["deviation"]))
                    if value is not None:
                        state.observe(time, value)
        return found

    def check_rows(self, timeseries):
        expected = self.predictions()
        for row in timeseries:
            name = (row["run_id"], row["metric_name"])
            if name in expected:
                value, scale = expected[name] or (None, 0)
                self.equal((row["application"], *name), "forecast", row["forecast"], value, scale)
        return len(expected)

    def check_series(self):
        for key, rows in self.series.items():
            points = Points(rows)
            for day in sorted({time // DAY * DAY for time, _ in points.rows}):
                own = self.published.pop((*key, day_text(day)), [])
                known = points.before(day + DAY)
                name = (*key, day_text(day))
                self.equal(name, "steps", len(own), STEPS if has_forecast(known) else 0, 0)
                if len(own) == STEPS and is_sampled(key):
                    newest = [row for time, _, row in rows if day <= time < day + DAY][-1]
                    self.check_steps(name, own, known, newest)
        for key in self.published:
            self.problems.append(f"{', '.join(key)}: the forecast is unexpected")

    def check_steps(self, name, own, known, newest):
        first, last = known[0][0], known[-1][0]
        horizon = min((last - first) * (1 / 3), 14 * DAY)
        # Rounded as doubles are: a double of a time has few digits below a millisecond.
        times = [Decimal(last + horizon * k / STEPS) for k in range(STEPS + 1)]
        last, horizon = Decimal(last), Decimal(horizon)
        model = json.loads(own[0]["model"])
        state, deviation = State(model, known), Decimal(model["deviation"])
        season = model.get("season")
        share = Decimal(len(season["effects"]) if season else 0) / model["points"]
        noise = (1 + share) / (1 - share)
        quantiles = [Decimal(q) for q in model["quantiles"]]
        factor, per_level = (LEVEL_FACTOR, NORMAL) if state.trend else (Decimal(1), quantiles)
        levels, spreads, before = [], [], last
        for k, time in enumerate(times):
            if state.trend:
                level, variance = state.trend.predict((time - before) / state.gap), state.trend.variance[0][0]
            else:
                level, variance = state.value, max(Decimal(0), (time - last) / state.gap - 1)
            before = time
            levels.append(level)
            spreads.append(deviation * (factor * variance).sqrt())
            if k == 0:
                continue
            row = own[k - 1]
            self.equal(name, f"time {k}", row["timestamp"], time * 1000, 10**9)
            for column in ("points", "fitted_at"):
                self.equal(name, column, row[column], Decimal(len(known)) if column == "points" else last * 1000, 0)
            value = level + season_at(season, time)
            limits = newest["min_value"], newest["max_value"]
            self.equal(name, f"forecast {k}", row["forecast"], clamp(value, *limits), deviation)
            for column, side, i in BORDERS:
                width = deviation * (noise * quantiles[i] ** 2 + factor * per_level[i] ** 2 * variance).sqrt()
                self.equal(name, f"{column} {k}", row[column], clamp(value + side * width, *limits), deviation)
        self.check_breaches(name, own[0], newest, last, horizon, levels, spreads)

    def check_breaches(self, name, row, newest, last, horizon, levels, spreads):
        better, worst = newest["higher_is_better"], None
        for status in ("warning", "critical"):
            limit, found = newest[f"{status}_threshold"], None
            if limit is not None and better is not None:
                side = -1 if better else 1
                z = [quotient(side * (level - Decimal(limit)), spread) for level, spread in zip(levels, spreads)]
                found = breach(z, float(last), float(horizon))
            if found:
                worst = status
            for i, kind in enumerate(("earliest", "expected")):
                expected = Decimal(round(found[i])) * 1000 if found else None
                self.equal(name, f"{status}_{kind}", row[f"{status}_{kind}"], expected, 10**12)
        self.compared += 1
        if row["breach_status"] != worst:
            self.problems.append(f"{', '.join(name)}: breach_status: expected {worst}, is {row['breach_status']}")
        for kind in ("earliest", "expected"):
            expected = row[f"{worst}_{kind}"] if worst else None
            self.equal(name, f"breach_{kind}", row[f"breach_{kind}"], expected and Decimal(expected), 0)


def quotient(distance, spread):
    """The distance in standard deviations; the last value itself is certain."""
    if spread:
        return float(distance / spread)
    return float("inf") * (distance > 0 or -1) if distance else float("nan")


def breach(z, last, horizon):
    """When the probability reaches 10 and 50 %, ms; None if it is beyond the limit already, or never with 80 %."""
    if any(value != value for value in z) or z[0] > 0 or NormalDist().cdf(max(z)) < 0.8:
        return None

    def reaches(wanted):
        k = next(i for i, value in enumerate(z) if value >= wanted)
        share = (wanted - z[k - 1]) / (z[k] - z[k - 1]) if k else 0
        return last + horizon * ((k - 1 + share) if k else 0) / STEPS

    return reaches(-1.2815515655446004), reaches(0)


def day_text(day):
    import datetime

    return str(datetime.date(1970, 1, 1) + datetime.timedelta(days=day // DAY))
