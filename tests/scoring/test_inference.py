import pytest
import torch
from torch import nn

from imageloom.data.loading.loader import Batch
from imageloom.models.compute import Compute
from imageloom.preprocessing import Normalisation
from imageloom.scoring.inference import full_float32, logits_of, predict_batches

from .made_models import PLAIN, StrongestChannel, small_network

CPU = Compute(torch.device("cpu"), "float32")


def batch_of(*colours):
    images = torch.tensor(colours, dtype=torch.uint8)[:, :, None, None].expand(-1, -1, 4, 4)
    count = len(colours)
    return Batch(images.contiguous(), torch.zeros(count, dtype=torch.int64), torch.arange(count))


def test_each_batch_comes_with_its_logits():
    batches = [batch_of((255, 0, 0), (0, 51, 0)), batch_of((0, 0, 255))]
    found = list(predict_batches(StrongestChannel(), iter(batches), CPU, PLAIN))
    assert [batch for batch, _ in found] == batches
    torch.testing.assert_close(found[0][1], torch.tensor([[10.0, 0, 0], [0, 2, 0]]))
    assert found[1][1].dtype == torch.float32


def test_pictures_are_normalised_as_the_network_expects():
    shifted = Normalisation(mean=(0.5, 0.5, 0.5), std=(0.25, 0.5, 1.0))
    logits = logits_of(StrongestChannel(), batch_of((255, 255, 0)).images_BCHW, CPU, shifted)
    torch.testing.assert_close(logits, torch.tensor([[20.0, 10.0, -5.0]]))


def test_the_network_is_in_evaluation_mode_for_the_pass_and_then_as_before():
    network = nn.Sequential(StrongestChannel(), nn.BatchNorm1d(3)).train()
    network[1].eval()  # a frozen part stays frozen
    batches = predict_batches(network, [batch_of((255, 0, 0))] * 2, CPU, PLAIN)
    _, logits = next(batches)
    assert logits.argmax() == 0
    assert [module.training for module in network.modules()] == [True, True, True, False]
    assert int(network[1].num_batches_tracked) == 0


def test_a_consumer_is_not_left_in_inference_mode():
    for _ in predict_batches(StrongestChannel(), [batch_of((255, 0, 0))], CPU, PLAIN):
        assert not torch.is_inference_mode_enabled()
        assert torch.is_grad_enabled()


def test_the_mode_comes_back_when_the_network_fails():
    network = nn.Conv2d(1, 1, 1).train()  # wants one channel
    with pytest.raises(RuntimeError, match="channels"):
        logits_of(network, batch_of((1, 2, 3)).images_BCHW, CPU, PLAIN)
    assert network.training


def test_bfloat16_gives_float32_logits():
    compute = Compute(torch.device("cpu"), "bfloat16")
    network = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 2))
    logits = logits_of(network, batch_of((255, 0, 0)).images_BCHW, compute, PLAIN)
    assert logits.dtype == torch.float32


def test_on_a_gpu_float32_is_not_shortened_to_tf32_for_the_pass_only():
    conv = torch.backends.cudnn.conv
    before = conv.fp32_precision
    with full_float32(Compute(torch.device("cuda"), "float32")):
        assert conv.fp32_precision == "ieee"
    assert conv.fp32_precision == before == "tf32"
    with full_float32(Compute(torch.device("cuda"), "bfloat16")):
        assert conv.fp32_precision == "tf32"


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU")
def test_e18_a_gpu_gives_the_logits_of_the_cpu():
    images = torch.randint(0, 256, (8, 3, 32, 32), dtype=torch.uint8)
    gpu = Compute(torch.device("cuda"), "float32")
    expected = logits_of(small_network().eval(), images, CPU, PLAIN)
    found = logits_of(gpu.place(small_network().eval()), images, gpu, PLAIN)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)
