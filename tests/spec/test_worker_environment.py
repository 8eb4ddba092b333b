"""A worker gets the variables it may need, and none that is called a secret."""

from pathlib import Path

import pytest

from imageloom.spec.worker_environment import worker_environment


@pytest.mark.parametrize(
    "name",
    [
        *("PATH", "LC_ALL", "PYTHONPATH", "CUDA_HOME", "NVIDIA_VISIBLE_DEVICES", "NCCL_DEBUG"),
        *("MKL_NUM_THREADS", "TORCH_HOME", "IMAGELOOM_HOME", "XDG_CACHE_HOME", "HF_HOME"),
        *("SSL_CERT_FILE", "https_proxy", "HTTPS_PROXY", "VIRTUAL_ENV", "LD_LIBRARY_PATH"),
        *("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_REGION", "AWS_SHARED_CREDENTIALS_FILE"),
        *("AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN", "AWS_CA_BUNDLE"),
    ],
)
def test_what_a_worker_may_need_reaches_it(name):
    assert worker_environment({name: "value"}) == {name: "value"}


def test_a_proxy_is_told_as_it_stands_which_the_guide_says():
    proxy = {"HTTPS_PROXY": "http://user:password@proxy:8080"}
    assert worker_environment(proxy) == proxy
    guide = Path(__file__).parents[2] / "docs" / "guides" / "targets.md"
    assert "also with a password in it" in guide.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "name",
    [
        "SSH_AUTH_SOCK",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_ACCESS_KEY_ID",
        "AWS_SESSION_TOKEN",
        "LD_PRELOAD",
        "HF_API_KEY",
        "PYTHON_SECRET",
        "path",
    ],
)
def test_what_a_worker_does_not_need_does_not_reach_it(name):
    assert worker_environment({name: "value"}) == {}
