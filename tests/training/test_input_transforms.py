import pytest

from imageloom.errors import InvalidDatasetError, ParameterParsingError
from imageloom.preprocessing import (
    CenterCrop,
    Letterbox,
    RandAugment,
    RandomCrop,
    RandomHorizontalFlip,
    RandomResizedCrop,
    Resize,
    Squash,
    TrivialAugment,
    output_size,
)
from imageloom.training.input_transforms import choose_transforms
from imageloom.training.params import TrainParams


@pytest.fixture(scope="module")
def small(make_pictures):
    return make_pictures(per_class=2, size=40)


def chosen(training, validation=None, **params):
    return choose_transforms(training, validation or training, TrainParams(**params))


def test_small_pictures_keep_their_size_and_are_shifted(small):
    training, inference = chosen(small)
    assert training == (Resize(size=40), RandomCrop(size=40, padding=5), RandomHorizontalFlip())
    assert inference == (Resize(size=40), CenterCrop(size=40))


def test_larger_pictures_are_trained_on_random_parts(small):
    training, inference = chosen(small, image_size=224)
    assert training == (RandomResizedCrop(size=224, min_scale=0.25), RandomHorizontalFlip())
    assert inference == (Resize(size=256), CenterCrop(size=224))


def test_light_augmentation_never_mirrors(small):
    for fit in ("crop", "letterbox", "squash"):
        training, _ = chosen(small, augmentation="light", fit=fit, image_size=100)
        assert RandomHorizontalFlip() not in training
        assert any(operation.is_random for operation in training)


@pytest.mark.parametrize(
    ("augmentation", "policy"),
    [("trivialaugment", TrivialAugment()), ("randaugment", RandAugment(num_ops=2, magnitude=9))],
)
def test_a_policy_comes_after_what_standard_does_and_not_in_inference(small, augmentation, policy):
    for size in (None, 224):
        standard, inference = chosen(small, image_size=size)
        training, same = chosen(small, image_size=size, augmentation=augmentation)
        assert training == (*standard, policy)
        assert same == inference


@pytest.mark.parametrize(("fit", "first"), [("letterbox", Letterbox), ("squash", Squash)])
def test_fit_decides_how_a_picture_becomes_square(small, fit, first):
    for transforms in chosen(small, fit=fit, image_size=96):
        assert isinstance(transforms[0], first)
        assert output_size(transforms) == 96


def test_without_augmentation_training_sees_what_inference_sees(small):
    training, inference = chosen(small, augmentation="none")
    assert training == inference


def test_carried_transforms_win_and_validation_uses_their_inference_form(small):
    carried = (RandomResizedCrop(size=36), RandomHorizontalFlip())
    training, inference = chosen(small.with_transforms(carried), small)
    assert training == carried
    assert inference == (Resize(size=36), CenterCrop(size=36))


def test_validation_pictures_may_carry_their_own(small):
    _, inference = chosen(
        small.with_transforms((RandomResizedCrop(size=36),)),
        small.with_transforms((Squash(size=36), RandomHorizontalFlip())),
    )
    assert inference == (Squash(size=36),)


def test_sizes_that_differ_or_stay_open_are_refused_with_both(small):
    open_size = small.with_transforms((Resize(size=36),))
    with pytest.raises(InvalidDatasetError, match="no fixed size and no fixed size"):
        chosen(open_size, small)
    with pytest.raises(InvalidDatasetError, match="36 pixels and 30 pixels"):
        chosen(small.with_transforms((Squash(size=36),)), small.with_transforms((Squash(size=30),)))


def test_an_image_size_beside_carried_transforms_is_refused(small):
    with pytest.raises(ParameterParsingError, match="image_size is 64, but"):
        chosen(small.with_transforms((Squash(size=36),)), image_size=64)
