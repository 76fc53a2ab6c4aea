"""A histogram of durations whose memory does not grow with the run.

A load at 100 000 turns a second makes six million durations a minute: keeping and sorting them would cost
the generator more than the turns themselves. So a duration falls into a bucket: exact below 256 ns, above
that one of 128 equal buckets for every doubling (the layout of HdrHistogram), which bounds the error of any
percentile to 1/128 of its value, from a microsecond to eighteen minutes.
"""

from array import array

SUB_BUCKET_BITS = 7
LONGEST_NS = (1 << 40) - 1
_BUCKETS = ((40 - SUB_BUCKET_BITS) << SUB_BUCKET_BITS) + (1 << SUB_BUCKET_BITS)


def bucket_of(duration_ns: int) -> int:
    """Return the index of the bucket that holds ``duration_ns`` (0 to LONGEST_NS)."""
    shift = duration_ns.bit_length() - (SUB_BUCKET_BITS + 1)
    return duration_ns if shift <= 0 else (shift << SUB_BUCKET_BITS) + (duration_ns >> shift)


def bounds_of(bucket: int) -> tuple[int, int]:
    """Return the shortest and the longest duration (ns) that fall into ``bucket``."""
    shift = max(0, (bucket >> SUB_BUCKET_BITS) - 1)
    shortest = (bucket - (shift << SUB_BUCKET_BITS)) << shift
    return shortest, shortest + (1 << shift) - 1


class Histogram:
    """Counts of durations in nanoseconds: 34 KB, however many are recorded."""

    def __init__(self) -> None:
        self.counts = array("Q", bytes(8 * _BUCKETS))
        self.count = 0
        self.longest_ns = 0

    def record(self, duration_ns: int) -> None:
        """Count one duration; a negative one counts as 0, one over LONGEST_NS as LONGEST_NS."""
        if not 0 <= duration_ns <= LONGEST_NS:
            duration_ns = 0 if duration_ns < 0 else LONGEST_NS
        if duration_ns > self.longest_ns:
            self.longest_ns = duration_ns
        self.count += 1
        # bucket_of(), written out: the call would cost as much again as the counting.
        shift = duration_ns.bit_length() - 8
        self.counts[duration_ns if shift <= 0 else (shift << 7) + (duration_ns >> shift)] += 1

    def percentile_ns(self, percent: float) -> int:
        """Return the duration (ns) that ``percent`` of the recorded ones do not exceed, never too small.

        0 when nothing was recorded.
        """
        wanted = max(1, -int(-self.count * percent // 100))
        seen = 0
        for bucket, counted in enumerate(self.counts):
            seen += counted
            if counted and seen >= wanted:
                return min(bounds_of(bucket)[1], self.longest_ns)
        return 0
