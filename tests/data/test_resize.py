"""Torchvision's function is the reference."""

import pytest
import torch
from torchvision.transforms.v2 import InterpolationMode
from torchvision.transforms.v2 import functional as F

from imageloom.data.loading import resize


@pytest.fixture(params=["torch scales 8 bits", "torchvision goes by float32"])
def _way(request, monkeypatch):
    scales_uint8 = request.param == "torch scales 8 bits" and resize._torch_scales_uint8()
    monkeypatch.setattr(resize, "_torch_scales_uint8", lambda: scales_uint8)


@pytest.mark.usefixtures("_way")
@pytest.mark.parametrize("size", [[24, 24], [50, 31], [80, 70], [20]])
@pytest.mark.parametrize("kind", ["planes", "channels last", "a part", "one row", "one pixel"])
def test_pixels_are_torchvisions_and_channels_stay_together(kind, size):
    height, width = {"one row": (1, 90), "one pixel": (1, 1)}.get(kind, (50, 90))
    seeded = torch.Generator().manual_seed(height)
    image_HWC = torch.randint(0, 256, (height, width, 3), dtype=torch.uint8, generator=seeded)
    image_CHW = image_HWC.permute(2, 0, 1)
    if kind == "planes":
        image_CHW = image_CHW.contiguous()
    if kind == "a part":
        image_CHW = image_CHW[:, 5:40, 7:60]
    scaled_CHW = resize.resized(image_CHW, size)
    expected = F.resize(
        image_CHW.contiguous(), size, interpolation=InterpolationMode.BILINEAR, antialias=True
    )
    assert torch.equal(scaled_CHW, expected)
    if min(size) > 1:
        assert scaled_CHW.permute(1, 2, 0).is_contiguous()


@pytest.mark.parametrize("size", [[50, 90], [50]])
def test_a_picture_of_that_size_is_left_as_it_is(size):
    image_CHW = torch.randint(0, 256, (3, 50, 90), dtype=torch.uint8)
    assert resize.resized(image_CHW, size).data_ptr() == image_CHW.data_ptr()
    assert F.resize(image_CHW, size).equal(image_CHW)
