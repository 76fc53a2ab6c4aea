"""Prometheus metrics of one daemon. docs/reference/metrics.md lists them.

They are counted once a batch, not once a turn: a counter's increment costs about a microsecond.
"""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics

disable_created_metrics()  # type: ignore[no-untyped-call]  # the library's, untyped
# a second series for each counter, which nobody asks for


class Metrics:
    """The metrics and their registry; one object a daemon, so that two daemons in one process do not mix."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()

        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"starpound_{name}", text, labels, registry=registry)

        self.turns = counter(
            "turns",
            "What subscribers sent, by kind of turn, and what was out of the ordinary",
            "link",
            "kind",
        )
        self.refused = counter("refused", "Messages answered with an error status", "link", "status")
        self.answers = counter("answers", "Answers by what the centre made of them", "link", "verdict")
        self.quarantined = counter("quarantined", "PDUs that could not be understood", "link", "status")
        self.jobs = counter("jobs", "Jobs run", "job", "result")
        self.receipts = counter("receipts", "Messages by what became of them", "link", "state")
        self.link_up = Gauge(
            "starpound_link_up", "Connections of the link that are bound", ["link"], registry=registry
        )
        self.window = Gauge(
            "starpound_window",
            "Requests that may wait for their response on one connection, as the centre can take them just now",
            ["link"],
            registry=registry,
        )
        self.backlog = Gauge(
            "starpound_backlog", "Answers at hand that wait to be sent", ["link"], registry=registry
        )
        self.waiting = Gauge(
            "starpound_waiting",
            "Messages in the store that no centre has taken yet, counted every few seconds",
            ["link"],
            registry=registry,
        )
        self.jobs_held = Gauge(
            "starpound_jobs_held",
            "Jobs that were set aside after their last try, counted every few seconds",
            registry=registry,
        )
        self.commit = Histogram(
            "starpound_unit_of_work_seconds",
            "From the read of a socket to the commit",
            registry=registry,
            buckets=(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1),
        )
        self.batch = Histogram(
            "starpound_unit_of_work_turns",
            "Turns in one unit of work",
            registry=registry,
            buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024),
        )
