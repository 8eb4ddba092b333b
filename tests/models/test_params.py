import subprocess

import pytest

from imageloom.errors import NotInRangeValueError, ParameterParsingError
from imageloom.models.params import ModelParams
from imageloom.params import describe


def test_names_of_networks_and_their_parameters_are_known_without_torch(python):
    code = (
        "import sys\n"
        "from imageloom.models.params import ModelParams\n"
        "from imageloom.models.architecture import resolve_architecture, variant_names\n"
        "assert 'resnet18' in variant_names() and 'densenet201' in variant_names()\n"
        "resolve_architecture('resnet18', ModelParams())\n"
        "heavy = {'torch', 'torchvision', 'numpy', 'PIL', 'timm', 'pyarrow'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([python, "-c", code], check=True)


def test_defaults_change_nothing_of_the_published_network():
    assert ModelParams().model_dump() == {
        "weights": "none",
        "stem": "standard",
        "zero_init_residual": False,
        "memory_efficient": False,
        "dropout": 0.0,
    }


def test_every_parameter_is_described():
    assert all(len(one.help) > 20 for one in describe(ModelParams))


def test_values_out_of_range_are_refused_naming_the_parameter():
    with pytest.raises(NotInRangeValueError, match=r"dropout is 1\.0, but must be less"):
        ModelParams.parse({"dropout": 1.0})
    with pytest.raises(ParameterParsingError, match='stem is "tiny", but must be one of standard'):
        ModelParams.parse({"stem": "tiny"})
