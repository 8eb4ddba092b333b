import hashlib
from pathlib import Path

import pytest
import torch
from torchvision.models import ResNet18_Weights

from imageloom.errors import FailedToDownloadFilesError
from imageloom.events import Control
from imageloom.models import download
from imageloom.models.torchvision_weights import torchvision_weights
from imageloom.preprocessing import IMAGENET_NORMALISATION

STATE = {"fc.bias": torch.arange(3.0)}


def cache_file(url):
    return Path(torch.hub.get_dir()) / "checkpoints" / url.rsplit("/", 1)[-1]


@pytest.fixture
def published(tmp_path, monkeypatch):
    """Pretend that torchvision publishes a small file; return it and its name."""
    made = tmp_path / "made.pth"
    torch.save(STATE, made)
    digest = hashlib.sha256(made.read_bytes()).hexdigest()
    url = f"https://example.invalid/models/resnet18-{digest[:8]}.pth"
    monkeypatch.setattr(ResNet18_Weights, "url", property(lambda _self: url), raising=False)
    return made, cache_file(url)


def test_the_newest_weights_of_each_variant_are_taken_with_their_own_normalisation():
    weights = torchvision_weights("resnet50")
    assert weights.name == "ResNet50_Weights.IMAGENET1K_V2"
    assert weights.normalisation == IMAGENET_NORMALISATION


def test_a_file_in_torchs_own_cache_is_used_without_a_network(published, monkeypatch):
    made, cached = published
    cached.parent.mkdir(parents=True)
    cached.write_bytes(made.read_bytes())
    monkeypatch.setattr(download.urllib.request, "urlopen", pytest.fail)
    found = torchvision_weights("resnet18").load(Control())
    assert torch.equal(found["fc.bias"], STATE["fc.bias"])


def test_a_damaged_file_in_the_cache_is_refused_naming_it(published):
    made, cached = published
    cached.parent.mkdir(parents=True)
    cached.write_bytes(made.read_bytes()[:-1])
    with pytest.raises(FailedToDownloadFilesError, match=f"{cached.name} is damaged") as caught:
        torchvision_weights("resnet18").load(Control())
    assert "Delete the file" in caught.value.hint
    assert cached.exists()  # it may be shared with others: it is theirs to delete


def test_a_file_that_is_not_there_is_fetched_into_the_cache(published, monkeypatch):
    made, cached = published
    asked = []

    def urlopen(url, timeout):
        asked.append(url)
        return _Response(made.read_bytes())

    monkeypatch.setattr(download.urllib.request, "urlopen", urlopen)
    found = torchvision_weights("resnet18").load(Control())
    assert torch.equal(found["fc.bias"], STATE["fc.bias"])
    assert asked == [f"https://example.invalid/models/{cached.name}"]
    assert cached.read_bytes() == made.read_bytes()


class _Response:
    """As much of an HTTP response as a download reads."""

    headers: dict[str, str] = {}  # noqa: RUF012 - a fake without a length

    def __init__(self, content):
        self.content = content

    def read(self, size):
        chunk, self.content = self.content[:size], self.content[size:]
        return chunk

    def __enter__(self):
        return self

    def __exit__(self, *args):
        pass
