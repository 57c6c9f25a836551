"""Means and trends of a series, with exact sums: integer multiples of the smallest double."""

import bisect
import itertools

HOUR, DAY = 3_600_000, 86_400_000
SCALE = 1074  # every finite double is an integer multiple of 2 ** -1074


def units(value):
    numerator, denominator = value.as_integer_ratio()
    return numerator << (SCALE - denominator.bit_length() + 1)


def nearest(number):
    """The double nearest to number / 2 ** SCALE, None if it overflows. Python rounds the quotient of integers only once."""
    try:
        return number / (1 << SCALE)
    except OverflowError:
        return None


def running(numbers):
    return [0, *itertools.accumulate(numbers)]


class Series:
    """A series of points (time in ms, run_id, row of enriched_metrics)."""

    def __init__(self, points):
        self.points = sorted(points, key=lambda point: point[:2])
        self.all_times = [time for time, _, _ in self.points]
        valid = [(time, units(row["value"])) for time, _, row in self.points if row["value"] is not None]
        self.times = [time for time, _ in valid]
        first = self.times[0] if valid else 0
        self.v = running(v for _, v in valid)
        self.t = running(t - first for t, _ in valid)
        self.tt = running((t - first) ** 2 for t, _ in valid)
        self.tv = running((t - first) * v for t, v in valid)

    def mean(self, begin, end):
        """Mean of the valid values with time in [begin, end)."""
        i, j = bisect.bisect_left(self.times, begin), bisect.bisect_left(self.times, end)
        total = nearest(self.v[j] - self.v[i])
        return None if i == j or total is None else total / (j - i)

    def trend(self, begin, end):
        """Slope per day of the valid values with time in [begin, end)."""
        i, j = bisect.bisect_left(self.times, begin), bisect.bisect_left(self.times, end)
        n = j - i
        if n < 3 or self.times[j - 1] - self.times[i] < HOUR:
            return None
        v, t, tt, tv = (sums[j] - sums[i] for sums in (self.v, self.t, self.tt, self.tv))
        numerator, denominator = nearest(n * tv - t * v), float(n * tt - t * t)
        if numerator is None:
            return None
        slope = numerator / denominator * DAY
        return slope if abs(slope) != float("inf") else None

    def latest(self, begin, end):
        """The row of the newest point with time in [begin, end), valid or not; among equal times, the largest run_id."""
        j = bisect.bisect_left(self.all_times, end)
        return self.points[j - 1][2] if j and self.all_times[j - 1] >= begin else None
