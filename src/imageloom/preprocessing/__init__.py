"""What turns a picture into a network's input, as data: class list, transforms, normalisation.

These records travel together from the image directory through the checkpoint to the score table
and the export, so that training, scoring and a page preview cannot disagree. Nothing here touches
a pixel: ``imageloom.data.loading.transforms`` applies the operations.
"""

from imageloom.preprocessing.class_names import (
    check_class_names,
    check_new_class_names,
    check_same_classes,
)
from imageloom.preprocessing.operations import (
    CenterCrop,
    ColorJitter,
    Grayscale,
    Letterbox,
    Operation,
    Pad,
    RandAugment,
    RandomAffine,
    RandomCrop,
    RandomErasing,
    RandomGrayscale,
    RandomHorizontalFlip,
    RandomPerspective,
    RandomResizedCrop,
    RandomRotation,
    RandomVerticalFlip,
    Resize,
    Squash,
    Transforms,
    TrivialAugment,
)
from imageloom.preprocessing.record import (
    IMAGENET_NORMALISATION,
    Normalisation,
    Preprocessing,
    preprocessing_from_json,
)
from imageloom.preprocessing.transform_list import (
    inference_form,
    output_size,
    transforms_from_json,
    transforms_to_json,
)

__all__ = [
    "IMAGENET_NORMALISATION",
    "CenterCrop",
    "ColorJitter",
    "Grayscale",
    "Letterbox",
    "Normalisation",
    "Operation",
    "Pad",
    "Preprocessing",
    "RandAugment",
    "RandomAffine",
    "RandomCrop",
    "RandomErasing",
    "RandomGrayscale",
    "RandomHorizontalFlip",
    "RandomPerspective",
    "RandomResizedCrop",
    "RandomRotation",
    "RandomVerticalFlip",
    "Resize",
    "Squash",
    "Transforms",
    "TrivialAugment",
    "check_class_names",
    "check_new_class_names",
    "check_same_classes",
    "inference_form",
    "output_size",
    "preprocessing_from_json",
    "transforms_from_json",
    "transforms_to_json",
]
