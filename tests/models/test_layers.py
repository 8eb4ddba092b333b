import pytest
import torch

from imageloom.models.architecture import build_network, resolve_architecture
from imageloom.models.layers import DropoutLinear
from imageloom.models.params import ModelParams


def test_dropout_acts_in_training_only_and_scales_what_is_left():
    layer = DropoutLinear(1000, 1, dropout=0.25)
    torch.nn.init.ones_(layer.weight)
    torch.nn.init.zeros_(layer.bias)
    features_BF = torch.ones(1, 1000)
    assert layer.eval()(features_BF).item() == 1000
    torch.manual_seed(0)
    kept = layer.train()(features_BF).item() * 0.75  # what is kept is divided by 1 - 0.25
    assert 700 < kept < 800


@pytest.mark.slow
def test_weights_move_between_networks_with_and_without_dropout():
    for name in ("resnet18", "densenet121", "timm/test_resnet"):
        plain, dropped = (
            build_network(resolve_architecture(name, ModelParams(dropout=p)), 2).eval()
            for p in (0.0, 0.3)
        )
        dropped.load_state_dict(plain.state_dict())
        images_BCHW = torch.randn(2, 3, 32, 32)
        assert torch.equal(plain(images_BCHW), dropped(images_BCHW))
        dropped.train()
        assert not torch.equal(dropped(images_BCHW), dropped(images_BCHW))


def test_printing_a_network_shows_its_dropout():
    assert "dropout=0.3" in repr(DropoutLinear(2, 2, dropout=0.3))
