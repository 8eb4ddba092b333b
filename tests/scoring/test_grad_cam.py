import pytest
import torch
from torch import nn

from imageloom.errors import InvalidModelDirectoryError
from imageloom.models.architecture import build_network, resolve_architecture
from imageloom.models.params import ModelParams
from imageloom.scoring.explain.grad_cam import as_large_as, grad_cam

# The layer that holds the last activation with more than one place, as one reads it in the code.
LAST_LAYER = {
    "resnet18": lambda network: network.layer4,
    "timm/test_resnet": lambda network: network.layer4,
    "timm/test_convnext": lambda network: network.stages,
    "timm/test_efficientnet": lambda network: network.bn2,
}


def made(name, num_classes=3, seed=1):
    torch.manual_seed(seed)
    network = build_network(resolve_architecture(name, ModelParams()), num_classes)
    with torch.no_grad():
        network.train()(torch.randn(4, 3, 64, 64))  # BatchNorm then has seen a batch
    return network.eval()


@pytest.mark.parametrize("name", LAST_LAYER)
def test_the_map_is_that_of_captum(name):
    attr = pytest.importorskip("captum.attr", reason="the second implementation")
    network = made(name)
    input_1CHW = torch.randn(1, 3, 96, 128)
    reference = attr.LayerGradCam(network, LAST_LAYER[name](network))
    maps = 0
    for position in range(3):
        expected = reference.attribute(input_1CHW, target=position, relu_attributions=True)
        found, logits = grad_cam(network, input_1CHW, position)
        torch.testing.assert_close(found, expected[0, 0].detach(), rtol=1e-4, atol=1e-7)
        torch.testing.assert_close(logits, network(input_1CHW)[0].detach())
        maps += bool(found.any())
    assert maps > 0


def test_the_map_of_densenet_is_that_of_what_its_head_sees():
    network = made("densenet121")
    input_1CHW = torch.randn(1, 3, 96, 96)
    features = network.features(input_1CHW).relu()  # torchvision's forward, part by part
    weights = network.classifier.weight[1] / features[0, 0].numel()
    expected = torch.einsum("f,fhw->hw", weights, features[0]).relu().detach()
    found, _ = grad_cam(network, input_1CHW, 1)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize(
    ("name", "size", "grid"),
    [
        ("timm/test_vit", 160, (10, 10)),
        ("timm/test_resnet", 64, (2, 2)),
        ("resnet18", 32, (2, 2)),  # its last activation has one place only
    ],
)
def test_each_kind_of_network_has_a_map_with_places(name, size, grid):
    network = made(name) if "vit" not in name else _untrained(name)
    found, logits = grad_cam(network, torch.randn(1, 3, size, size), 0)
    assert tuple(found.shape) == grid
    assert logits.shape == (3,)
    assert bool((found >= 0).all())


def test_networks_that_put_channels_last_have_a_map_with_places():
    network = _untrained("timm/swin_tiny_patch4_window7_224")
    maps = [grad_cam(network, torch.randn(1, 3, 224, 224), one)[0] for one in range(3)]
    assert {tuple(one.shape) for one in maps} == {(7, 7)}


def _untrained(name):
    torch.manual_seed(1)
    return build_network(resolve_architecture(name, ModelParams()), 3).eval()


class Squares(nn.Module):
    """Its second class is how bright the brightest parts of the picture are."""

    def __init__(self):
        super().__init__()
        self.bright = nn.Sequential(nn.Conv2d(3, 1, 5, padding=2), nn.ReLU(inplace=True))
        nn.init.constant_(self.bright[0].weight, 1 / 75)
        nn.init.constant_(self.bright[0].bias, -0.5)

    def forward(self, images_BCHW):
        found_B = self.bright(images_BCHW).mean(dim=(1, 2, 3))
        return torch.stack([-found_B, found_B], dim=1)


def test_the_map_is_highest_inside_a_planted_square_that_decides_the_class():
    input_1CHW = torch.rand(1, 3, 64, 64) * 0.2
    input_1CHW[:, :, 40:52, 8:20] = 1.0
    found, _ = grad_cam(Squares().eval(), input_1CHW, 1)
    row, column = divmod(int(as_large_as(found, 64, 64).argmax()), 64)
    assert 40 <= row < 52
    assert 8 <= column < 20


def test_a_trained_network_looks_at_the_square_that_decides_the_class():
    draw = torch.Generator().manual_seed(1)
    images = torch.rand(160, 3, 48, 48, generator=draw) * 0.5
    labels = torch.arange(160) % 2
    corners = torch.randint(0, 36, (160, 2), generator=draw)
    for image, label, (y, x) in zip(images, labels, corners.tolist(), strict=True):
        if label:
            image[:, y : y + 12, x : x + 12] = 1.0
    torch.manual_seed(1)
    network = nn.Sequential(
        nn.Conv2d(3, 16, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.Conv2d(16, 32, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(32, 2),
    )
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-2)
    for _ in range(12):
        for part in torch.randperm(160, generator=draw).split(32):
            optimiser.zero_grad()
            nn.functional.cross_entropy(network(images[part]), labels[part]).backward()
            optimiser.step()
    network.eval()
    inside = 0
    for image, (y, x) in list(zip(images, corners.tolist(), strict=True))[1:40:2]:
        map_HW = as_large_as(grad_cam(network, image[None], 1)[0], 48, 48)
        row, column = divmod(int(map_HW.argmax()), 48)
        inside += y <= row < y + 12 and x <= column < x + 12
    assert inside >= 18  # of 20; a place chosen blindly is there in one of sixteen


def test_neither_the_network_nor_its_gradients_change():
    network = made("timm/test_resnet")
    for weight in network.parameters():
        weight.requires_grad_(False)
    before = {name: one.clone() for name, one in network.state_dict().items()}
    with torch.inference_mode(False), torch.no_grad():
        grad_cam(network, torch.randn(1, 3, 64, 64), 2)
    assert all(torch.equal(one, before[name]) for name, one in network.state_dict().items())
    assert all(one.grad is None for one in network.parameters())
    assert not any(module._forward_hooks for module in network.modules())


def test_a_network_without_places_is_refused():
    network = nn.Sequential(nn.Flatten(), nn.Linear(3 * 16, 2))
    with pytest.raises(InvalidModelDirectoryError, match="no activation that keeps places"):
        grad_cam(network, torch.randn(1, 3, 4, 4), 0)


def test_a_map_of_nothing_stays_nothing():
    assert not as_large_as(torch.zeros(2, 3), 20, 30).any()
    assert as_large_as(torch.tensor([[0.0, 4.0]]), 10, 20).max() == 1.0
