"""The histogram: fixed memory, percentiles never too small and at most 1/128 too large."""

import random

import pytest

from smpp_sim.load.histogram import LONGEST_NS, Histogram, bounds_of, bucket_of


def test_buckets_join_without_a_gap():
    shortest = 0
    for bucket in range(bucket_of(LONGEST_NS) + 1):
        assert bounds_of(bucket)[0] == shortest, f"bucket {bucket} does not begin where the one before ends"
        shortest = bounds_of(bucket)[1] + 1
    assert shortest == LONGEST_NS + 1


@pytest.mark.parametrize("duration_ns", [0, 1, 255, 256, 257, 1_000_000, 12_345_678_901, LONGEST_NS])
def test_a_duration_lies_in_its_bucket(duration_ns):
    shortest, longest = bounds_of(bucket_of(duration_ns))
    assert shortest <= duration_ns <= longest
    assert longest - shortest <= duration_ns / 128


def test_record_counts_in_the_bucket_that_bucket_of_names():
    for duration_ns in (0, 255, 256, 511, 512, 999_999, LONGEST_NS):
        histogram = Histogram()
        histogram.record(duration_ns)
        assert histogram.counts[bucket_of(duration_ns)] == 1


@pytest.mark.parametrize("percent", [1, 50, 90, 99, 99.9, 100])
def test_percentiles_are_those_of_the_sorted_durations(percent):
    draw = random.Random(7)
    durations = [int(draw.lognormvariate(13, 2)) for _ in range(20_000)]
    histogram = Histogram()
    for duration_ns in durations:
        histogram.record(duration_ns)
    exact = sorted(durations)[max(0, -int(-len(durations) * percent // 100) - 1)]
    assert exact <= histogram.percentile_ns(percent) <= exact * (1 + 1 / 128)


def test_nothing_recorded():
    assert Histogram().percentile_ns(99) == 0


def test_out_of_range_is_counted_at_the_ends():
    histogram = Histogram()
    histogram.record(-5)
    histogram.record(LONGEST_NS * 4)
    assert histogram.count == 2
    assert histogram.percentile_ns(50) == 0
    assert histogram.longest_ns == LONGEST_NS
