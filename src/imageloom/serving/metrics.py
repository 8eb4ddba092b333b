"""What a served model tells of itself, for Prometheus."""

from collections.abc import Callable
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from imageloom.serving.batching import BatchFigures

CONTENT_TYPE: Final = CONTENT_TYPE_PLAIN_0_0_4
_PARTS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_SIZES: Final = (1, 2, 4, 8, 16, 32, 64, 128, 256)


class ServingMetrics:
    """The figures of one server, in a registry of its own; any thread may add to them.

    Args:
        waiting: Returns how many pictures wait for the network.
        inside: Returns how many pictures are inside in all.
    """

    def __init__(self, waiting: Callable[[], int], inside: Callable[[], int]) -> None:
        self._registry = CollectorRegistry()
        self._requests = self._counter("requests", "Requests answered.", "route", "status")
        self._latency = self._seconds("request_seconds", "From its headers to its answer.", "route")
        self._decoding = self._seconds("decode_seconds", "Decoding and transforms of a picture.")
        self._network = self._seconds("inference_seconds", "A batch in the network.")
        self._batch = Histogram(
            "imageloom_serve_batch_pictures",
            "Pictures in a batch, without those that fill it up.",
            buckets=_SIZES,
            registry=self._registry,
        )
        self._gauge("waiting_pictures", "Pictures that wait for the network.", waiting)
        self._gauge("inside_pictures", "Pictures inside: decoded, waiting, in the network.", inside)

    def request(self, route: str, status: int, seconds: float) -> None:
        """Count an answer.

        Args:
            route: What was asked for, one of a few words.
            status: Of HTTP.
            seconds: From its headers to its answer.
        """
        self._requests.labels(route, str(status)).inc()
        self._latency.labels(route).observe(seconds)

    def picture(self, seconds: float) -> None:
        """Count a picture that was decoded."""
        self._decoding.observe(seconds)

    def batch(self, figures: BatchFigures) -> None:
        """Count a batch."""
        self._network.observe(figures.seconds)
        self._batch.observe(figures.pictures)

    def text(self) -> bytes:
        """Return all of it as Prometheus reads it."""
        return generate_latest(self._registry)

    def _counter(self, name: str, about: str, *labels: str) -> Counter:
        return Counter(f"imageloom_serve_{name}", about, labels, registry=self._registry)

    def _seconds(self, name: str, about: str, *labels: str) -> Histogram:
        name = f"imageloom_serve_{name}"
        return Histogram(name, about, labels, buckets=_PARTS, registry=self._registry)

    def _gauge(self, name: str, about: str, value: Callable[[], int]) -> None:
        gauge = Gauge(f"imageloom_serve_{name}", about, registry=self._registry)
        gauge.set_function(value)
