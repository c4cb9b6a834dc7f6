"""An independent implementation of the series functions, to compare targets/duckdb/macros with.

Written from the documentation of series_decompose(), series_decompose_anomalies(), series_outliers(),
series_periods_detect(), series_fit_line(), series_fit_2lines() and series_stats() alone, with plain loops. Where the
documentation leaves freedom, the choice is said here and in the header of the macro.
"""

import math
from statistics import NormalDist, median


def known(values):
    return [v for v in values if v is not None]


def percentile(values, p):
    """Linear interpolation between the two nearest ranks."""
    ordered = sorted(values)
    position = p * (len(ordered) - 1)
    low = math.floor(position)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (position - low) * (ordered[high] - ordered[low])


def outliers(values, kind="ctukey", low_percent=10, high_percent=90):
    """Tukey's fences. For other percentiles than the quartiles the score is scaled so that 1.5 is the same distance from
    the mean of a normal distribution as for quartiles."""
    if kind == "tukey":
        low_percent, high_percent = 25, 75
    points = known(values)
    if not points:
        return [0.0 for _ in values]
    low, high = percentile(points, low_percent / 100), percentile(points, high_percent / 100)
    z_low, z_high = NormalDist().inv_cdf(low_percent / 100), NormalDist().inv_cdf(high_percent / 100)
    fence = 4 * NormalDist().inv_cdf(0.75)
    # Where nearly all points are the same the range is 0: any other point is then an outlier.
    width = max(high - low, 1e-9 * max(1, abs(low), abs(high)))
    scores = []
    for v in values:
        if v is not None and v > high:
            scores.append((v - high) / width * 1.5 * (z_high - z_low) / (fence - z_high))
        elif v is not None and v < low:
            scores.append((v - low) / width * 1.5 * (z_high - z_low) / (fence + z_low))
        else:
            scores.append(0.0)
    return scores


def autocorrelations(values):
    """Of each lag to half of the length: the mean of products over the variance, by the geometric mean of n and n - lag."""
    n = len(values)
    points = known(values)
    if not points:
        return []
    mean = sum(points) / len(points)
    centred = [0.0 if v is None else v - mean for v in values]
    total = sum(c * c for c in centred)
    if total == 0:
        return []
    return [
        sum(centred[i] * centred[i + lag] for i in range(n - lag)) / total * math.sqrt(n / (n - lag))
        for lag in range(n // 2 + 1)
    ]


def periods(values, low, high, count, least=0.6):
    """Lags of 4 up to below half of the length where the autocorrelation has a peak of 0.6 or more, best first; a multiple of
    a better one says nothing new."""
    scores = autocorrelations(values)
    peaks = []
    for lag in range(4, len(scores) - 1):
        if low <= lag <= high and scores[lag] >= least and scores[lag] > scores[lag - 1] and scores[lag] >= scores[lag + 1]:
            peaks.append((scores[lag], lag))
    peaks.sort(key=lambda peak: (-peak[0], peak[1]))
    kept = []
    for index, (score, lag) in enumerate(peaks):
        better = [other for _, other in peaks[:index] if other < lag]
        if not any(abs(lag - round(lag / other) * other) <= 0.5 * round(lag / other) for other in better):
            kept.append((score, lag))
    kept = kept[:count] + [(0.0, 0)] * (count - len(kept))
    return [float(lag) for _, lag in kept], [min(score, 1.0) for score, _ in kept]


def fit(values):
    """Least squares line over the indexes: slope, interception."""
    points = [(i, v) for i, v in enumerate(values) if v is not None]
    n = len(points)
    if n == 0:
        return 0.0, 0.0
    mean_x, mean_y = sum(i for i, _ in points) / n, sum(v for _, v in points) / n
    spread = sum((i - mean_x) ** 2 for i, _ in points)
    slope = sum((i - mean_x) * (v - mean_y) for i, v in points) / spread if spread else 0.0
    return slope, mean_y - slope * mean_x


def decompose(values, seasonality=-1, trend="avg", test_points=0, threshold=0.6):
    n = len(values)
    learned = values[: max(n - test_points, 0)]
    period = seasonality
    if seasonality == -1:
        found, _ = periods(learned, 0, n, 1, threshold)
        period = int(found[0])
    seasonal = [0.0] * n
    if period > 0:
        phases = []
        for phase in range(period):
            points = known(learned[phase::period])
            phases.append(float(median(points)) if points else 0.0)
        seasonal = [phases[i % period] for i in range(n)]
    rest = [None if v is None else v - s for v, s in zip(learned, seasonal)]
    if trend == "none":
        line = [0.0] * n
    elif trend == "linefit":
        slope, start = fit(rest)
        line = [start + slope * i for i in range(n)]
    else:
        points = known(rest)
        line = [sum(points) / len(points) if points else 0.0] * n
    baseline = [s + t for s, t in zip(seasonal, line)]
    residual = [None if v is None else v - b for v, b in zip(values, baseline)]
    return baseline, seasonal, line, residual


def anomalies(values, limit=1.5, seasonality=-1, trend="avg", test_points=0, method="ctukey", threshold=0.6):
    baseline, _, _, residual = decompose(values, seasonality, trend, test_points, threshold)
    scores = outliers(residual, method)
    return [(s > limit) - (s < -limit) for s in scores], scores, baseline


def line(values):
    """series_fit_line: rsquare, slope, variance, rvariance, interception, line_fit; the variances are those of a sample. The
    documented example counts the points from 1, so the interception is one step before the first point."""
    slope, start = fit(values)
    points = [(i, v) for i, v in enumerate(values) if v is not None]
    n = len(points)
    mean = sum(v for _, v in points) / n
    total = sum((v - mean) ** 2 for _, v in points)
    rest = sum((v - start - slope * i) ** 2 for i, v in points)
    below = max(n - 1, 1)
    rsquare = 1 - rest / total if total else 1.0
    return rsquare, slope, total / below, rest / below, start - slope, [start + slope * i for i in range(len(values))]


def two_lines(values):
    """series_fit_2lines: the split with the least rest; both sides have two points at least."""
    n = len(values)
    best = None
    for split in range(2, n - 1):
        rest = 0.0
        for side in (values[:split], values[split:]):
            slope, start = fit(side)
            rest += sum((v - start - slope * i) ** 2 for i, v in enumerate(side) if v is not None)
        if best is None or rest < best[0] - 1e-12:
            best = (rest, split)
    return best
