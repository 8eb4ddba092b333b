"""The figures, read back by Prometheus' own reader."""

import pytest
from prometheus_client.parser import text_string_to_metric_families

from imageloom.serving.batching import BatchFigures
from imageloom.serving.metrics import ServingMetrics

from .second_client import ask, infer


def values(text):
    return {
        (one.name, *sorted(one.labels.items())): one.value
        for family in text_string_to_metric_families(text.decode())
        for one in family.samples
        if not one.name.endswith("_created")
    }


def test_what_was_counted_is_what_is_read():
    metrics = ServingMetrics(waiting=lambda: 3, inside=lambda: 5)
    metrics.request("infer", 200, 0.02)
    metrics.request("infer", 200, 0.5)
    metrics.request("predict", 503, 0.001)
    metrics.picture(0.004)
    metrics.batch(BatchFigures(pictures=7, seconds=0.25))
    found = values(metrics.text())
    name = "imageloom_serve_{}".format
    assert found[name("requests_total"), ("route", "infer"), ("status", "200")] == 2
    assert found[name("requests_total"), ("route", "predict"), ("status", "503")] == 1
    assert found[name("request_seconds_sum"), ("route", "infer")] == 0.52
    assert found[name("request_seconds_bucket"), ("le", "0.025"), ("route", "infer")] == 1
    assert found[name("batch_pictures_bucket"), ("le", "4.0")] == 0
    assert found[name("batch_pictures_bucket"), ("le", "8.0")] == 1
    assert found[name("inference_seconds_sum"),] == 0.25
    assert found[name("decode_seconds_count"),] == 1
    assert found[name("waiting_pictures"),] == 3
    assert found[name("inside_pictures"),] == 5


def test_two_servers_of_one_process_count_apart():
    one, other = (ServingMetrics(lambda: 0, lambda: 0) for _ in range(2))
    one.picture(1.0)
    assert values(other.text())["imageloom_serve_decode_seconds_count",] == 0


@pytest.mark.slow
def test_a_server_tells_its_figures_and_strangers_make_no_new_ones(server):
    infer(server.address, "flowers", server.files[:2])
    for path in ("nowhere", "v2/models/a/infer", "v2/models/b/infer"):
        ask(f"{server.address}{path}", b"")
    status, headers, text = ask(f"{server.address}metrics")
    assert (status, headers["Content-Type"].split(";")[0]) == (200, "text/plain")
    found = values(text)
    routes = {dict(key[1:]).get("route") for key in found} - {None}
    assert routes <= {"infer", "predict", "metrics", "server", "health", "model", "other"}
    assert found["imageloom_serve_batch_pictures_sum",] >= 2
