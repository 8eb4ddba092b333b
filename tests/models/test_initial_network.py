import torch

from imageloom.events import Control
from imageloom.models.architecture import build_network, resolve_architecture
from imageloom.models.initial_network import initial_network
from imageloom.models.model_directory import as_untrained, make_untrained
from imageloom.models.params import ModelParams
from imageloom.models.safetensors_file import safetensors_bytes

from .made_models import make_trained

NAME = "timm/test_resnet"


def seeded(model, classes, seed=5, on_event=lambda _event: None):
    torch.manual_seed(seed)
    return initial_network(model, classes, on_event=on_event)


def test_without_weights_it_is_the_network_the_seed_gives():
    network = seeded(make_untrained(NAME, control=Control()), ("a", "b"))
    torch.manual_seed(5)
    plain = build_network(resolve_architecture(NAME, ModelParams()), 2).state_dict()
    assert all(torch.equal(network.state_dict()[name], plain[name]) for name in plain)
    assert network.training


def test_with_weights_the_body_is_theirs_and_the_head_is_the_seeds(tmp_path):
    state = make_trained().network.state_dict()
    (tmp_path / "w.safetensors").write_bytes(safetensors_bytes(state))
    model = make_untrained(
        NAME, ModelParams(weights=str(tmp_path / "w.safetensors")), control=Control()
    )
    network = seeded(model, ("a", "b"))
    found = network.state_dict()
    assert found["fc.weight"].shape[0] == 2
    assert all(torch.equal(found[name], state[name]) for name in state if not name.startswith("fc"))
    other = seeded(model, ("a", "b"), seed=6).state_dict()
    assert not torch.equal(other["fc.weight"], found["fc.weight"])
    assert network.training
    assert all(parameter.requires_grad for parameter in network.parameters())


def test_training_does_not_change_the_model_it_started_from():
    model = as_untrained(make_trained())
    before = model.weights["fc.bias"].clone()
    network = seeded(model, model.head_classes)
    with torch.no_grad():
        network.fc.bias.add_(1)
    assert torch.equal(model.weights["fc.bias"], before)


def test_an_earlier_head_is_joined_by_class_name():
    earlier = make_trained(classes=("cat", "dog", "fox"))
    events = []
    network = seeded(as_untrained(earlier), ("fox", "owl", "cat"), on_event=events.append)
    weight, old = network.fc.weight, earlier.network.fc.weight
    assert torch.equal(weight[0], old[2])
    assert torch.equal(weight[2], old[0])
    fresh = seeded(make_untrained(NAME, control=Control()), ("fox", "owl", "cat"))
    assert torch.equal(weight[1], fresh.fc.weight[1])  # the new class has the seed's weights
    assert network.fc.bias[0] == earlier.network.fc.bias[2]
    assert [event.message for event in events] == [
        "1 class starts at random: 'owl'.",
        "1 class of the earlier model is left out: 'dog'.",
    ]


def test_three_of_many_new_classes_are_told_with_their_number():
    events = []
    seeded(as_untrained(make_trained(classes=("cat",))), list("abcdef"), on_event=events.append)
    assert [event.message for event in events] == [
        "6 classes start at random: 'a', 'b', 'c' and 3 more.",
        "1 class of the earlier model is left out: 'cat'.",
    ]


def test_the_same_classes_in_another_order_give_the_same_answers():
    earlier = make_trained(classes=("cat", "dog", "fox"))
    events = []
    network = seeded(as_untrained(earlier), ("fox", "cat", "dog"), on_event=events.append).eval()
    images_BCHW = torch.randn(2, 3, 32, 32)
    expected = earlier.network(images_BCHW)[:, [2, 0, 1]]
    torch.testing.assert_close(network(images_BCHW), expected)
    assert events == []
