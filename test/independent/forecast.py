"""Recomputes forecasts from their published parameters, with 34 digits and matrices, and compares them with those of the service.

Reads a list of cases as JSON from standard input: times (ms), values, domain, parameters, and what the service computed from
them: forecast, predictions (of each point from those before it), deviance and exponent (of its units). Prints how many numbers
were compared and the largest difference. The exit code is 1 if a number differs.
"""

import json
import math
import sys
from decimal import Decimal, getcontext
from itertools import product

getcontext().prec = 34
STEPS, CLIP, SKIPPED, LEVEL_FACTOR = 24, 8, 2, Decimal("1.75")
FORTNIGHT = 14 * 86_400_000
NORMAL = [Decimal("1.2815515655446004"), Decimal("1.959963984540054")]
# Of ln ql, ln qb, ln (1 - phi): center and weight of the prior.
PRIOR = [(-2, 0.05), (-8, 0.05), (-3, 0.2)]


class Exact:
    """Numbers with 34 digits."""

    number, exp, ln, sqrt = Decimal, Decimal.exp, Decimal.ln, Decimal.sqrt


class Fast:
    """Doubles, for the search."""

    number, exp, ln, sqrt = float, math.exp, math.log, math.sqrt


def times_matrix(a, b):
    return [[sum(x * y for x, y in zip(row, column)) for column in zip(*b)] for row in a]


def season_at(season, time):
    if not season:
        return Decimal(0)
    effects = [Decimal(effect) for effect in season["effects"]]
    position = (Decimal(time - season["start"]) / season["period"]) % 1
    position = (position + 1 if position < 0 else position) * len(effects)
    below = int(position)
    share = position - below
    return (1 - share) * effects[below % len(effects)] + share * effects[(below + 1) % len(effects)]


class Trend:
    """The state-space model: state [level, slope], observed level plus noise of variance 1."""

    def __init__(self, kind, ql, qb, loss, clip, slope_variance, first):
        self.kind, self.clip = kind, clip
        number = kind.number
        self.ql, self.qb = kind.exp(number(ql)), kind.exp(number(qb))
        self.ln_phi = kind.ln(1 - kind.exp(number(loss)))
        self.state = [[first], [number(0)]]
        self.variance = [[number(1), number(0)], [number(0), slope_variance]]
        self.side = 0

    def predict(self, gap):
        f = self.kind.exp(self.ln_phi * gap)
        g = (f - 1) / self.ln_phi
        move = [[1, g], [0, f]]
        cross = self.qb * gap * gap / 2
        noise = [[self.ql * gap + self.qb * gap**3 / 3, cross], [cross, self.qb * gap]]
        self.state = times_matrix(move, self.state)
        moved = times_matrix(times_matrix(move, self.variance), list(zip(*move)))
        self.variance = [[a + b for a, b in zip(*rows)] for rows in zip(moved, noise)]
        return self.state[0][0]

    def correct(self, value):
        """Returns the innovation as it is used, its variance, and whether it was beyond the limit."""
        innovation, total = value - self.state[0][0], self.variance[0][0] + 1
        limit = CLIP * self.clip * self.kind.sqrt(total)
        side = 0 if abs(innovation) <= limit else (1 if innovation > 0 else -1)
        if side and side == self.side:
            self.variance[0][0] += (innovation / self.clip) ** 2
            total = self.variance[0][0] + 1
        elif side:
            innovation = side * limit
        self.side = side
        gain = [self.variance[0][0] / total, self.variance[1][0] / total]
        rest = [[1 - gain[0], 0], [-gain[1], 1]]
        self.state = [[self.state[i][0] + gain[i] * innovation] for i in (0, 1)]
        self.variance = times_matrix(rest, self.variance)
        return innovation, total, side != 0


def filtered(model, values, gaps):
    """Predictions of the values after the first, and what `correct` returns for them, without the first."""
    predictions, innovations = [], []
    for value, gap in zip(values[1:], gaps):
        predictions.append(model.predict(gap))
        innovations.append(model.correct(value))
    return predictions, innovations[SKIPPED - 1 :]


def minus_two_ln_likelihood(kind, innovations):
    count = len(innovations)
    variance = sum(e * e / total for e, total, _ in innovations) / count
    return count * kind.ln(variance) + sum(kind.ln(total) for _, total, _ in innovations)


def lower_median(numbers):
    return sorted(numbers)[(len(numbers) - 1) // 2]


class Case:
    def __init__(self, case):
        self.case, self.parameters = case, case["parameters"]
        self.times, self.season = case["times"], case["parameters"].get("season")
        self.values = [Decimal(v) - season_at(self.season, t) for t, v in zip(self.times, case["values"])]
        self.mean_gap = Decimal(self.parameters["meanGap"])
        self.gaps = [(b - a) / self.mean_gap for a, b in zip(self.times, self.times[1:])]
        self.compared, self.worst, self.problems = 0, 0.0, []

    def equal(self, name, actual, expected, scale, tolerance=1e-9):
        self.compared += 1
        difference = abs(float((Decimal(actual) - expected) / scale))
        if tolerance == 1e-9:
            self.worst = max(self.worst, difference)
        if not difference <= tolerance:
            self.problems.append(f"{self.case['name']}: {name}: is {actual!r}, expected {float(expected)!r}")

    def constants(self):
        """The parameters that are no result of the search; they are rounded to six digits."""
        differences = [b - a for a, b in zip(self.values, self.values[1:])]
        drift = lower_median(differences)
        spread = Decimal("1.4826") * lower_median([abs(d - drift) for d in differences])
        mean_gap = Decimal(self.times[-1] - self.times[0]) / (len(self.times) - 1)
        self.equal("meanGap", self.parameters["meanGap"], mean_gap, mean_gap, 1e-5)
        return drift, spread

    def model(self, kind, ql, qb, loss, drift, spread, first):
        number = kind.number
        variance = 2 + kind.exp(number(ql)) + kind.exp(number(qb)) / 3
        clip = number(spread) / kind.sqrt(variance)
        return Trend(kind, ql, qb, loss, clip, number("0.1") + (number(drift) / clip) ** 2, first)

    def check_search(self, drift, spread, found):
        """No point of a grid around the found parameters has a much larger likelihood."""
        values, gaps = [float(value) for value in self.values], [float(gap) for gap in self.gaps]

        def loss(x):
            model = self.model(Fast, *x, drift, spread, values[0])
            prior = sum(weight * (a - center) ** 2 for a, (center, weight) in zip(x, PRIOR))
            return minus_two_ln_likelihood(Fast, filtered(model, values, gaps)[1]) + prior

        grid = product([-8, -4, -2, 0, 2], [-11, -8, -5], [-5, -3, -1])
        best = min(loss(x) for x in grid)
        self.compared += 1
        if loss(found) > best + 0.05:
            self.problems.append(f"{self.case['name']}: the search ended {loss(found) - best:.3f} above the minimum")

    def check_trend(self):
        p = self.parameters
        drift, spread = self.constants()
        found = [Decimal(str(p[name])) for name in ("logLevelNoise", "logSlopeNoise", "logSlopeLoss")]
        own = self.model(Exact, *found, drift, spread, self.values[0])
        self.equal("clipDeviation", p["clipDeviation"], own.clip, own.clip, 1e-5)
        slope_variance = own.variance[1][1]
        self.equal("initialSlopeVariance", p["initialSlopeVariance"], slope_variance, slope_variance, 1e-5)
        self.check_search(drift, spread, [float(x) for x in found])

        published = Decimal(p["clipDeviation"]), Decimal(p["initialSlopeVariance"])
        model = Trend(Exact, *found, *published, self.values[0])
        predictions, innovations = filtered(model, self.values, self.gaps)
        usual = [e * e / total for e, total, beyond in innovations if not beyond]
        deviation = (sum(usual) / len(usual)).sqrt()
        self.equal("deviation", p["deviation"], deviation, deviation, 1e-5)
        units = 2 * len(innovations) * self.case["exponent"] * Decimal(2).ln()
        deviance = minus_two_ln_likelihood(Exact, innovations) - units
        self.equal("deviance", self.case["deviance"], deviance, len(innovations))
        for i, prediction in enumerate(predictions):
            expected = prediction + season_at(self.season, self.times[i + 1])
            self.equal(f"prediction {i + 1}", self.case["predictions"][i], expected, deviation)

        def ahead(time, before):
            return model.predict((time - before) / self.mean_gap), model.variance[0][0]

        self.check_forecast(ahead, LEVEL_FACTOR, NORMAL)

    def check_naive(self):
        self.constants()
        for i, value in enumerate(self.values[:-1]):
            expected = value + season_at(self.season, self.times[i + 1])
            self.equal(f"prediction {i + 1}", self.case["predictions"][i], expected, Decimal(self.parameters["deviation"]))
        last = self.times[-1]

        def ahead(time, _before):
            return self.values[-1], max(Decimal(0), (time - last) / self.mean_gap - 1)

        self.check_forecast(ahead, Decimal(1), [Decimal(q) for q in self.parameters["quantiles"]])

    def check_forecast(self, ahead, level_factor, per_level):
        p, forecast, domain = self.parameters, self.case["forecast"], self.case["domain"]
        first, last = Decimal(self.times[0]), Decimal(self.times[-1])
        horizon = min((last - first) / 3, Decimal(FORTNIGHT))
        deviation = Decimal(p["deviation"])
        known = Decimal(len(self.season["effects"]) if self.season else 0) / p["points"]
        noise_factor = (1 + known) / (1 - known)
        before = last
        for k in range(STEPS):
            time = last + horizon * (k + 1) / STEPS
            self.equal(f"time {k}", forecast["times"][k], time, horizon)
            level, variance = ahead(Decimal(forecast["times"][k]), before)
            before = Decimal(forecast["times"][k])
            value = level + season_at(self.season, before)
            borders = {"forecast": Decimal(0)}
            for name, q, z in zip(("80", "95"), p["quantiles"], per_level):
                width = deviation * (noise_factor * Decimal(q) ** 2 + level_factor * z**2 * variance).sqrt()
                borders["lower" + name], borders["upper" + name] = -width, width
            for name, width in borders.items():
                expected = value + width
                expected = max(expected, Decimal(domain["min"])) if "min" in domain else expected
                expected = min(expected, Decimal(domain["max"])) if "max" in domain else expected
                self.equal(f"{name} {k}", forecast[name][k], expected, deviation)
            self.equal(f"level {k}", forecast["levels"][k + 1], level, deviation)
            level_deviation = deviation * (level_factor * variance).sqrt()
            self.equal(f"level deviation {k}", forecast["levelDeviations"][k + 1], level_deviation, deviation)


def main():
    cases = [Case(case) for case in json.load(sys.stdin)]
    for case in cases:
        case.check_trend() if case.parameters["method"] == "trend" else case.check_naive()
    problems = [problem for case in cases for problem in case.problems]
    print("\n".join(problems[:20]), file=sys.stderr)
    print(json.dumps({"compared": sum(case.compared for case in cases), "worst": max(case.worst for case in cases)}))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
