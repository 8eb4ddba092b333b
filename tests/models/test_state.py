import pytest
import torch

from imageloom.errors import InvalidModelDirectoryError
from imageloom.models.architecture import build_network, resolve_architecture
from imageloom.models.params import ModelParams
from imageloom.models.state import check_state, expected_state, network_from_state

ARCHITECTURE = resolve_architecture("timm/test_resnet", ModelParams())
FIRST = "conv1.0.weight"


@pytest.fixture
def state():
    torch.manual_seed(0)
    return {k: t.clone() for k, t in build_network(ARCHITECTURE, 3).state_dict().items()}


def check(state):
    check_state(state, expected_state(ARCHITECTURE, 3), "w", InvalidModelDirectoryError)


def test_a_networks_own_state_fits(state):
    check(state)
    assert expected_state(ARCHITECTURE, 3).num_bytes == sum(
        tensor.numel() * tensor.element_size() for tensor in state.values()
    )


def test_the_body_is_everything_but_the_head(state):
    body = expected_state(ARCHITECTURE, 3).without_head()
    assert set(state) - set(body.tensors) == {"fc.weight", "fc.bias"}


def test_e10_missing_and_extra_names_are_told_together(state):
    state["conv2.weight"] = state.pop(FIRST)
    message = r"w does not fit the network: it lacks conv1\.0\.weight and has unexpected conv2\.we"
    with pytest.raises(InvalidModelDirectoryError, match=message):
        check(state)


def test_e10_the_first_three_names_are_told_and_the_others_counted(state):
    prefixed = {f"module.{name}": tensor for name, tensor in state.items()}
    with pytest.raises(InvalidModelDirectoryError, match="does not fit") as caught:
        check(prefixed)
    more = len(state) - 3
    assert caught.value.message.count("module.") == 3
    assert caught.value.message.count(f" and {more} more") == 2


def test_e10_a_wrong_shape_is_told_with_both(state):
    state["fc.weight"] = torch.zeros(4, state["fc.weight"].shape[1])
    with pytest.raises(InvalidModelDirectoryError, match=r"is \[4, \d+\] and must be \[3, \d+\]"):
        check(state)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.int32])
def test_e10_a_wrong_type_is_told_with_both(state, dtype):
    state[FIRST] = state[FIRST].to(dtype)
    with pytest.raises(InvalidModelDirectoryError, match=f"is {dtype} not torch.float32"):
        check(state)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_e10_one_value_that_is_not_finite_is_enough(state, value):
    state["fc.bias"][2] = value
    with pytest.raises(InvalidModelDirectoryError, match=r"not finite in fc\.bias"):
        check(state)


def test_e09_a_billion_classes_are_compared_without_memory(state):
    expected = expected_state(ARCHITECTURE, 10**9)
    assert expected.num_bytes > 10**9
    with pytest.raises(InvalidModelDirectoryError, match=r"must be \[1000000000"):
        check_state(state, expected, "w", InvalidModelDirectoryError)


@pytest.mark.parametrize("name", ["resnet18", "timm/test_resnet", "timm/test_vit"])
def test_a_filled_network_computes_as_before_and_draws_nothing(name):
    architecture = resolve_architecture(name, ModelParams())
    torch.manual_seed(0)
    network = build_network(architecture, 3).eval()
    images_BCHW = torch.randn(2, 3, 160, 160)
    before = torch.get_rng_state()
    filled = network_from_state(architecture, 3, dict(network.state_dict()))
    assert torch.equal(torch.get_rng_state(), before)
    assert not filled.training
    assert torch.equal(filled(images_BCHW), network(images_BCHW))
    assert all(not tensor.is_meta for tensor in [*filled.parameters(), *filled.buffers()])
    assert all(parameter.requires_grad for parameter in filled.parameters())
