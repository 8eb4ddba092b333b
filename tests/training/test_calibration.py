import pytest
import torch
from torch import nn

from imageloom.launch.train import train
from imageloom.models.architecture import Architecture
from imageloom.models.model_directory import load_trained
from imageloom.training.calibration import fitted_temperature, last_layers
from imageloom.training.params import TrainParams

K = 5


def planted(temperature, count=40_000):
    """Logits of which labels are drawn as if they had been divided by a temperature."""
    generator = torch.Generator().manual_seed(0)
    logits = 3 * torch.randn(count, K, generator=generator)
    drawn = torch.multinomial((logits / temperature).softmax(dim=1), 1, generator=generator)
    return logits, drawn[:, 0]


@pytest.mark.parametrize("temperature", [0.3, 1.0, 1.7, 4.0])
def test_a_planted_temperature_is_found_within_two_percent(temperature):
    assert fitted_temperature(*planted(temperature)) == pytest.approx(temperature, rel=0.02)


def test_it_is_where_torchs_optimizer_ends():
    logits, labels = planted(2.5, count=500)
    inverse = torch.ones((), dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([inverse], max_iter=200, tolerance_grad=1e-12)

    def loss():
        optimizer.zero_grad()
        found = nn.functional.cross_entropy(logits.double() * inverse, labels)
        found.backward()
        return found

    optimizer.step(loss)
    assert fitted_temperature(logits, labels) == pytest.approx(1 / inverse.item(), rel=1e-4)


def test_where_all_or_nothing_is_right_it_stays_within_bounds():
    labels, logits = torch.arange(K), 5 * torch.eye(K)
    assert 1e-3 <= fitted_temperature(logits, labels) < 1
    assert fitted_temperature(-logits, labels) == pytest.approx(1e3, rel=1e-6)


def test_a_network_without_a_plain_last_layer_is_left_alone():
    network = nn.Module()
    network.fc = nn.Sequential(nn.LayerNorm(4), nn.Linear(4, 3))
    architecture = Architecture(family="resnet", variant="resnet18", options={})
    assert last_layers(network, architecture) == []
    network.fc = nn.Linear(4, 3)
    assert last_layers(network, architecture) == [network.fc]


@pytest.mark.slow
def test_a_calibrated_model_names_the_same_and_says_how_often_it_is_right(make_pictures, tmp_path):
    training, validation = make_pictures(per_class=8), make_pictures(per_class=5, seed=1)
    params = TrainParams(epochs=1, batch_size=8, patience=1, learning_rate=0.05, workers=0)
    results = {
        calibrate: train(
            "resnet18",
            training,
            validation,
            tmp_path / str(calibrate),
            params=params.replace(calibrate=calibrate),
        )
        for calibrate in (False, True)
    }
    plain, calibrated = (load_trained(results[one].model) for one in (False, True))
    temperature = calibrated.metrics["Temperature"]
    assert "Temperature" not in plain.metrics
    for name in ("weight", "bias"):
        own, divided = (getattr(one.network.fc, name) for one in (plain, calibrated))
        torch.testing.assert_close(divided, own / temperature)
    assert results[True].metrics["Overall_Accuracy"] == results[False].metrics["Overall_Accuracy"]
    assert results[True].metrics["Log_Loss"] <= results[False].metrics["Log_Loss"]
