"""What holds for one model family holds for all: a new file in families/ is tested here."""

import functools

import pytest
import torch
import torchvision

from imageloom.models.architecture import (
    build_network,
    head_parameters,
    resolve_architecture,
)
from imageloom.models.family import FAMILIES
from imageloom.models.model_directory import TrainedModel, load_trained, save_trained
from imageloom.models.params import ModelParams
from imageloom.preprocessing import Normalisation, Preprocessing, Squash

VARIANTS = [variant for family in FAMILIES for variant in family.variants]
BY_TORCHVISION = [name for name in ("resnet", "densenet") for name in FAMILIES.get(name).variants]
# Networks that are really computed: the smallest of the family, or one that timm has for tests.
QUICK = {"timm": "timm/test_resnet"}


def names(variants):
    """Each variant; a quick round takes the smallest of each family."""
    quick = {_smallest(family) for family in FAMILIES}
    return pytest.mark.parametrize(
        "name",
        [
            pytest.param(one.name, marks=() if one.name in quick else pytest.mark.slow)
            for one in variants
        ],
    )


def _smallest(family):
    return min(family.variants, key=lambda variant: variant.num_parameters).name


@pytest.fixture(params=FAMILIES.names())
def family(request):
    return FAMILIES.get(request.param)


def architecture(name, **options):
    return resolve_architecture(name, ModelParams(**options))


@functools.cache
def on_meta(name, num_classes):
    """Build a network without memory, once for all tests, which do not change it."""
    with torch.device("meta"):
        return build_network(architecture(name), num_classes)


def quick(family):
    return QUICK.get(family.name, _smallest(family))


def test_all_thirteen_networks_of_the_old_designer_are_there():
    assert [variant.name for variant in FAMILIES.get("resnet").variants] == [
        "resnet18", "resnet34", "resnet50", "resnet101", "resnet152", "resnext50_32x4d",
        "resnext101_32x8d", "wide_resnet50_2", "wide_resnet101_2",
    ]  # fmt: skip
    assert [variant.name for variant in FAMILIES.get("densenet").variants] == [
        "densenet121", "densenet161", "densenet169", "densenet201",
    ]  # fmt: skip
    assert FAMILIES.get("resnet").default_variant == "resnext101_32x8d"
    assert FAMILIES.get("densenet").default_variant == "densenet201"


def test_a_family_says_what_it_is_and_where_it_comes_from(family):
    assert family.title
    assert len(family.help) > 30
    assert any(year in family.source for year in map(str, range(2012, 2040)))
    assert family.default_variant in [variant.name for variant in family.variants]
    assert set(family.options) < set(ModelParams.model_fields)
    assert all(variant.title and variant.help.endswith(".") for variant in family.variants)


def test_no_two_variants_share_a_name():
    assert len({variant.name for variant in VARIANTS}) == len(VARIANTS)


def test_every_option_belongs_to_a_family():
    used = {option for family in FAMILIES for option in family.options}
    assert used == set(ModelParams.model_fields) - {"weights"}


@names(VARIANTS)
def test_the_declared_number_of_parameters_is_the_networks(name):
    declared = next(variant for variant in VARIANTS if variant.name == name).num_parameters
    network = on_meta(name, 7)
    head = set(head_parameters(architecture(name), network))
    counts = {key: tensor.numel() for key, tensor in network.named_parameters()}
    per_class = sum(counts[key] for key in head) // 7
    assert sum(counts.values()) + (1000 - 7) * per_class == declared


@names(BY_TORCHVISION)
def test_the_standard_network_is_torchvisions_own_tensor_by_tensor(name):
    ours = on_meta(name, 7).state_dict()
    with torch.device("meta"):
        theirs = torchvision.models.get_model(name, num_classes=7).state_dict()
    assert list(ours) == list(theirs)
    assert {key: t.shape for key, t in ours.items()} == {key: t.shape for key, t in theirs.items()}


@names(VARIANTS)
def test_it_returns_one_number_per_class_from_a_new_head(name):
    network = on_meta(name, 7)
    assert network(torch.empty(1, 3, 224, 224, device="meta")).shape == (1, 7)
    parameters = dict(network.named_parameters())
    head = head_parameters(architecture(name), network)
    assert head
    assert all(parameters[key].shape[0] == 7 for key in head)


def test_only_the_head_depends_on_the_number_of_classes(family):
    seven, eight = on_meta(quick(family), 7), on_meta(quick(family), 8)
    head = set(head_parameters(architecture(quick(family)), seven))
    other = eight.state_dict()
    assert head == {key for key, one in seven.state_dict().items() if one.shape != other[key].shape}


def test_every_weight_gets_a_gradient(family):
    torch.manual_seed(0)
    network = build_network(architecture(quick(family)), 3)
    assert network.training
    assert {parameter.dtype for parameter in network.parameters()} == {torch.float32}
    logits_BK = network(torch.randn(2, 3, 32, 32))
    assert logits_BK.shape == (2, 3)
    torch.nn.functional.cross_entropy(logits_BK, torch.tensor([0, 2])).backward()
    without = [key for key, p in network.named_parameters() if p.grad is None]
    assert without == []
    assert all(torch.isfinite(p.grad).all() for p in network.parameters())


def test_a_seed_decides_every_weight(family):
    def state(seed):
        torch.manual_seed(seed)
        return build_network(architecture(quick(family)), 3).state_dict()

    first, again, other = state(1), state(1), state(2)
    assert all(torch.equal(first[key], again[key]) for key in first)
    assert any(not torch.equal(first[key], other[key]) for key in first)


def test_describing_a_network_draws_nothing(family):
    torch.manual_seed(1)
    before = torch.get_rng_state()
    on_meta(quick(family), 3)
    assert torch.equal(torch.get_rng_state(), before)


def test_a_saved_model_comes_back_bit_for_bit(family, tmp_path):
    one = architecture(quick(family), dropout=0.1)
    torch.manual_seed(0)
    network = build_network(one, 3)
    images_BCHW = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        network(images_BCHW)  # so that BatchNorm's statistics are not those of a new network
    preprocessing = Preprocessing(transforms=(Squash(size=64),), normalisation=Normalisation())
    model = TrainedModel(one, ("a", "b", "c"), preprocessing, network)
    save_trained(tmp_path / "m", model)
    loaded = load_trained(tmp_path / "m")
    expected = network.state_dict()
    found = loaded.network.state_dict()
    assert list(found) == list(expected)
    assert all(torch.equal(found[key], expected[key]) for key in expected)
    assert torch.equal(loaded.network(images_BCHW), network.eval()(images_BCHW))


def test_its_published_weights_have_a_name_and_a_normalisation(family):
    for variant in family.variants:
        published = family.published(variant.name)
        assert published.name
        assert all(0 < value < 1 for value in published.normalisation.std)


def test_the_guide_names_every_variant_and_option(family, repository):
    guide = (repository / "docs" / "guides" / "models.md").read_text("utf-8")
    for variant in family.variants:
        assert f"`{variant.name}`" in guide
        assert f"{variant.num_parameters / 1e6:.1f}" in guide
    for option in family.options:
        assert f"`--{option.replace('_', '-')}`" in guide
