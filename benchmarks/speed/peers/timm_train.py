"""Runs timm's own train.py, after a network for small pictures was added to timm's registry.

python timm_train.py TRAIN_PY ARGUMENTS...
"""

import runpy
import sys

from networks import with_small_stem
from timm.models import create_model, register_model


@register_model
def resnet18_small(pretrained=False, **options):
    return with_small_stem(create_model("resnet18", pretrained=pretrained, **options))


if __name__ == "__main__":
    sys.argv = sys.argv[1:]
    runpy.run_path(sys.argv[0], run_name="__main__")
