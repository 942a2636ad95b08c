"""The server's metrics, in Prometheus' format."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily

__all__ = ["Metrics"]

# Seconds; an item takes a fraction of a millisecond, a file some seconds.
_BUCKETS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)


class Metrics:
    """The metrics of one server.

    Args:
        counters: `Backend.counters` by model name.
    """

    def __init__(self, counters: Mapping[str, Callable[[], Mapping[str, float]]]) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._registry.register(_Engine(counters))
        known: dict[str, Any] = {"registry": self._registry}
        self.requests = Counter("penstock_requests", "HTTP requests answered", ["path", "method", "status"], **known)
        self.request_seconds = Histogram(
            "penstock_request_seconds",
            "Time from a request's head to its response",
            ["path"],
            buckets=_BUCKETS,
            **known,
        )
        self.streams = Gauge("penstock_streams", "WebSocket streams open now", ["model"], **known)
        self.items = Counter("penstock_items", "Messages of streams answered", ["model"], **known)
        self.item_seconds = Histogram(
            "penstock_item_seconds", "Time from a message to its reply", ["model"], buckets=_BUCKETS, **known
        )
        self.refused = Counter("penstock_refused", "Requests and streams refused or ended early", ["reason"], **known)
        self.errors = Counter("penstock_errors", "Errors answered", ["type"], **known)

    def text(self) -> bytes:
        """Return all metrics in Prometheus' text format."""
        return generate_latest(self._registry)


class _Engine:
    """Counters of the models' streams, read only on request, so that a step has no extra cost."""

    def __init__(self, counters: Mapping[str, Callable[[], Mapping[str, float]]]) -> None:
        self._counters = counters

    def collect(self) -> Iterator[CounterMetricFamily]:
        for name, about in (
            ("steps", "Steps of streams"),
            ("passes", "Passes of the engine; steps per pass are the batch"),
            ("seconds", "Time that the engine spent on streams"),
        ):
            family = CounterMetricFamily(f"penstock_engine_{name}", about, labels=["model"])
            for model, counters in self._counters.items():
                family.add_metric([model], counters()[name])
            yield family
