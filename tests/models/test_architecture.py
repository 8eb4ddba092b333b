import pytest
import torch
import torchvision
from torch import nn

from imageloom.errors import (
    EnvironmentUnsuitableError,
    GreaterThanOrEqualToError,
    InvalidDatasetError,
    InvalidModelDirectoryError,
    NotInRangeValueError,
    UnknownNameError,
)
from imageloom.models.architecture import (
    architecture_from_json,
    build_network,
    check_input,
    head_parameters,
    resolve_architecture,
)
from imageloom.models.params import ModelParams


def architecture(name, **options):
    return resolve_architecture(name, ModelParams(**options))


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("resnet19", "Did you mean resnet18"),
        ("densnet121", "Did you mean densenet121"),
        ("timm/resnt50", "Did you mean timm/resnet50"),
        ("timm/resnet50.a1_in2k", "Did you mean timm/resnet50.a1_in1k"),
    ],
)
def test_e08_an_unknown_name_gets_the_nearest_ones(name, nearest):
    with pytest.raises(UnknownNameError, match="no network called") as caught:
        architecture(name)
    assert nearest in caught.value.hint


def test_an_unknown_name_gets_the_names_of_all_families():
    with pytest.raises(UnknownNameError, match="no network called 'alexnet'") as caught:
        architecture("alexnet")
    for name in ("resnet18", "wide_resnet101_2", "densenet201", "timm/NAME"):
        assert name in caught.value.hint


@pytest.mark.parametrize("name", ["timm/hf_hub:timm/resnet18", "timm/local-dir:/tmp", "hf-hub:a/b"])
def test_names_with_which_timm_fetches_strangers_networks_are_unknown(name):
    with pytest.raises(UnknownNameError, match="no network called"):
        architecture(name)


def test_a_missing_timm_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "timm", None)  # as if it were not installed
    with pytest.raises(EnvironmentUnsuitableError, match="timm, which is not installed") as caught:
        architecture("timm/resnet50")
    assert "pip install 'imageloom[timm]'" in caught.value.hint


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("timm/resnet50", {"stem": "small"}, "stem is 'small', but timm/resnet50 is made by timm"),
        ("resnet18", {"memory_efficient": True}, "memory_efficient is True, but resnet18"),
        ("densenet121", {"zero_init_residual": True}, "zero_init_residual is True, but dense"),
    ],
)
def test_an_option_that_would_do_nothing_is_refused(name, options, message):
    with pytest.raises(NotInRangeValueError, match=message):
        architecture(name, **options)


def test_an_architecture_survives_json_with_every_option_written_out():
    one = architecture("resnet18", stem="small", dropout=0.5)
    assert one.to_json() == {
        "family": "resnet",
        "variant": "resnet18",
        "options": {"stem": "small", "zero_init_residual": False, "dropout": 0.5},
    }
    assert architecture_from_json(one.to_json(), InvalidModelDirectoryError) == one
    assert one.title == "ResNet-18 with the small stem"


@pytest.mark.parametrize("name", ["resnet18", "resnet50"])
def test_zero_init_residual_starts_each_branch_at_zero(name):
    network = build_network(architecture(name, zero_init_residual=True), 2)
    last_norm = "bn2" if name == "resnet18" else "bn3"
    weights = [p for key, p in network.named_parameters() if key.endswith(f"{last_norm}.weight")]
    assert weights
    assert all(not weight.any() for weight in weights)


def test_memory_efficient_densenet_gives_the_same_gradients():
    gradients = []
    for memory_efficient in (False, True):
        torch.manual_seed(3)
        network = build_network(architecture("densenet121", memory_efficient=memory_efficient), 2)
        assert network.features.denseblock1.denselayer1.memory_efficient is memory_efficient
        torch.manual_seed(4)
        network(torch.randn(2, 3, 32, 32)).sum().backward()
        gradients.append(network.features.conv0.weight.grad)
    torch.testing.assert_close(gradients[0], gradients[1])


@pytest.mark.parametrize(
    ("name", "last_size"), [("resnet18", (512, 4, 4)), ("densenet121", (1024, 4, 4))]
)
def test_the_small_stem_keeps_a_cifar_picture_at_its_size(name, last_size):
    with torch.device("meta"):
        network = build_network(architecture(name, stem="small"), 10)
    body = nn.Sequential(*list(network.children())[: -2 if name == "resnet18" else -1])
    features = body(torch.empty(1, 3, 32, 32, device="meta"))
    # Three halvings, 32 -> 16 -> 8 -> 4, where the standard stem makes five and ends at 1.
    assert features.shape[1:] == last_size
    stem = network.conv1 if name == "resnet18" else network.features.conv0
    assert (stem.kernel_size, stem.stride, stem.padding) == ((3, 3), (1, 1), (1, 1))


def test_the_small_stem_is_initialised_like_every_other_convolution():
    torch.manual_seed(0)
    network = build_network(architecture("resnet18", stem="small"), 2)
    # He initialisation over the fan-out: std = sqrt(2 / (64 channels * 3 * 3)) = 0.0589.
    assert float(network.conv1.weight.detach().std()) == pytest.approx(
        (2 / (64 * 9)) ** 0.5, rel=0.1
    )
    network = build_network(architecture("densenet121", stem="small"), 2)
    # Over the fan-in: sqrt(2 / (3 channels * 3 * 3)) = 0.272.
    assert float(network.features.conv0.weight.detach().std()) == pytest.approx(
        (2 / 27) ** 0.5, rel=0.1
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "head"),
    [
        ("resnet18", {"fc.weight", "fc.bias"}),
        ("densenet121", {"classifier.weight", "classifier.bias"}),
        ("timm/test_resnet", {"fc.weight", "fc.bias"}),
        # A network with two heads, one for distillation.
        (
            "timm/levit_128s",
            {f"{h}.linear.{p}" for h in ("head", "head_dist") for p in ("weight", "bias")},
        ),
    ],
)
def test_the_head_is_what_depends_on_the_number_of_classes(name, head):
    one = architecture(name)
    with torch.device("meta"):
        three, four = build_network(one, 3), build_network(one, 4)
    assert set(head_parameters(one, three)) == head
    differing = {
        key
        for key, tensor in three.state_dict().items()
        if tensor.shape != four.state_dict()[key].shape
    }
    assert differing == head


def test_f08_a_last_batch_of_one_is_known_before_training_at_every_size():
    naive = torchvision.models.resnet18(num_classes=2).train()
    with pytest.raises(ValueError, match="more than 1 value per channel"):
        naive(torch.zeros(1, 3, 32, 32))  # what a loader's last batch of one meets
    naive(torch.zeros(1, 3, 33, 33))
    one = architecture("resnet18")
    assert not check_input(one, 2, 32, 16).allows_single_picture
    assert check_input(one, 2, 33, 16).allows_single_picture


@pytest.mark.slow
def test_f09_batch_size_one_is_refused_only_where_it_cannot_work():
    message = "batch_size is 1, but must be at least 2: DenseNet-121 at 32 px"
    with pytest.raises(GreaterThanOrEqualToError, match=message):
        check_input(architecture("densenet121"), 2, 32, 1)
    check_input(architecture("densenet121"), 2, 64, 1)
    check_input(architecture("densenet121", stem="small"), 2, 32, 1)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "options", "size", "message"),
    [
        # 29 -> 15 -> 8 -> 4 -> 2 -> 1, but 28 -> 14 -> 7 -> 3 -> 1 -> 0.
        ("densenet121", {}, 16, "DenseNet-121 needs pictures of >= 29 px, but they have 16 px"),
        # Three halvings of whole numbers: 8 -> 4 -> 2 -> 1.
        ("densenet121", {"stem": "small"}, 7, "small stem needs pictures of >= 8 px"),
        ("timm/vit_tiny_patch16_224", {}, 64, "of exactly 224 px, but they have 64 px"),
        ("timm/vit_tiny_patch16_224", {}, 256, "of 224 px, but they have 256 px"),
    ],
)
def test_f18_pictures_too_small_are_refused_with_the_least_size(name, options, size, message):
    with pytest.raises(InvalidDatasetError, match=message):
        check_input(architecture(name, **options), 2, size, 4)


def test_f18_the_least_size_really_is_the_least():
    one = architecture("densenet121")
    check_input(one, 2, 29, 4)
    network = build_network(one, 2)
    assert network(torch.zeros(2, 3, 29, 29)).shape == (2, 2)
    with pytest.raises(RuntimeError, match="Output size is too small"):
        network(torch.zeros(2, 3, 28, 28))


def test_checking_an_input_draws_nothing_and_takes_no_memory_for_a_large_one():
    torch.manual_seed(5)
    before = torch.get_rng_state()
    check_input(architecture("resnet18", dropout=0.5), 200_000, 8192, 4096)  # 768 GiB of input
    assert torch.equal(torch.get_rng_state(), before)
