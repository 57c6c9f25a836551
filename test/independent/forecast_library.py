"""Filters the points of forecasts with the Kalman filter of statsmodels, and compares it with the service.

Reads and prints the same as forecast.py. The library knows no outliers: it gets the values as the service clips them, and the
growth of the variance after a step as noise of the level.
"""

import json
import sys
from decimal import Decimal

import numpy
from forecast import SKIPPED, Case, Fast, Trend, season_at
from statsmodels.tsa.statespace.kalman_filter import KalmanFilter


def library_filter(parameters, values, gaps):
    found = [parameters[name] for name in ("logLevelNoise", "logSlopeNoise", "logSlopeLoss")]
    clip, slope_variance = parameters["clipDeviation"], parameters["initialSlopeVariance"]
    model = Trend(Fast, *found, clip, slope_variance, values[0])
    n = len(values)
    transition, noise, observed = numpy.zeros((2, 2, n)), numpy.zeros((2, 2, n)), numpy.array(values)
    observed[0] = numpy.nan  # It is in the initial state.
    for i, gap in enumerate(gaps):
        f = numpy.exp(model.ln_phi * gap)
        g = numpy.expm1(model.ln_phi * gap) / model.ln_phi
        cross = model.qb * gap**2 / 2
        prediction = model.predict(gap)
        variance = model.variance[0][0]
        innovation, total, _ = model.correct(values[i + 1])
        transition[:, :, i] = [[1, g], [0, f]]
        growth = total - 1 - variance
        noise[:, :, i] = [[model.ql * gap + model.qb * gap**3 / 3 + growth, cross], [cross, model.qb * gap]]
        observed[i + 1] = prediction + innovation
    kalman = KalmanFilter(
        k_endog=1,
        k_states=2,
        design=numpy.array([[1.0, 0.0]]),
        obs_cov=numpy.eye(1),
        transition=transition,
        selection=numpy.eye(2),
        state_cov=noise,
        nobs=n,
    )
    kalman.bind(observed)
    kalman.initialize_known(numpy.array([values[0], 0.0]), numpy.diag([1.0, slope_variance]))
    return kalman.filter()


def check(case):
    values, gaps = [float(value) for value in case.values], [float(gap) for gap in case.gaps]
    result = library_filter(case.parameters, values, gaps)
    scale = Decimal(case.parameters["deviation"])
    for i, prediction in enumerate(result.forecasts[0][1:]):
        expected = Decimal(float(prediction)) + season_at(case.season, case.times[i + 1])
        case.equal(f"prediction {i + 1}", case.case["predictions"][i], expected, scale, 1e-6)
    errors = result.forecasts_error[0][SKIPPED:] / 2.0 ** case.case["exponent"]
    totals = result.forecasts_error_cov[0, 0, SKIPPED:]
    count = len(errors)
    deviance = count * numpy.log(numpy.mean(errors**2 / totals)) + numpy.sum(numpy.log(totals))
    case.equal("deviance", case.case["deviance"], Decimal(float(deviance)), count, 1e-6)


def main():
    cases = [Case(case) for case in json.load(sys.stdin) if case["parameters"]["method"] == "trend"]
    for case in cases:
        check(case)
    problems = [problem for case in cases for problem in case.problems]
    print("\n".join(problems[:20]), file=sys.stderr)
    print(json.dumps({"compared": sum(case.compared for case in cases)}))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
