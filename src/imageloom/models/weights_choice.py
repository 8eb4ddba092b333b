"""Which tensors of a file from another tool are the body of a network, and what is left out.

Trainers keep the weights under keys of their own, and wrappers put words in front of every name.
Neither is looked up in a list: a place is right where all names of the body are found.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from imageloom.errors import InvalidModelDirectoryError
from imageloom.models.state import ExpectedState, State
from imageloom.models.weights_file import TensorSet
from imageloom.system.wording import count, some

# Words under which timm, torchvision and others keep a running average of the weights, and the
# weights themselves.
_AVERAGED: Final = frozenset(
    ("state_dict_ema", "model_ema", "ema_state_dict", "ema", "ema_model", "averaged_model")
)
_USUAL: Final = frozenset(("state_dict", "model_state_dict", "model", "net", "network", "module"))
COUNTER: Final = ".num_batches_tracked"  # of BatchNorm; files from before torch 0.4.1 have none


@dataclass(frozen=True)
class WeightsPlace:
    """Where weights stand in a file.

    Attributes:
        key: ``TensorSet.key``.
        prefix: What stands before every name: empty, or with a point at its end.
    """

    key: str
    prefix: str

    @property
    def title(self) -> str:
        """What a person reads: ``the key 'model_ema', prefix 'module.'``; empty for neither."""
        if not self.key:
            return f"the prefix {self.prefix!r}" if self.prefix else ""
        return f"the key {self.key!r}" + (f", prefix {self.prefix!r}" if self.prefix else "")

    @property
    def is_averaged(self) -> bool:
        """Whether it is named as a running average of the weights."""
        return bool(_AVERAGED & {*self.key.split("."), *self.prefix.split(".")})

    @property
    def rank(self) -> int:
        """Which place is taken where several fit: the lowest.

        The average comes first, as in timm's own ``load_checkpoint``: it is what the trainers that
        keep one measure and publish.
        """
        if self.is_averaged:
            return 0
        return 1 if not self.key or self.key.split(".")[-1] in _USUAL else 2


@dataclass(frozen=True, eq=False)
class ChosenWeights:
    """The tensors of a file that belong to a network, and the names of those that do not.

    Attributes:
        place: Where they stand.
        body: By the name that the network has for them. Tensors that stand inside one of its
            modules without belonging there are among them: they mean another network.
        head: The same for what turns features into one number per class.
        left: Names that stand beside them and have nothing to do with the network.
        passed: Other places whose tensors would fit too.
    """

    place: WeightsPlace
    body: State
    head: State
    left: tuple[str, ...]
    passed: tuple[WeightsPlace, ...]

    def summary(self, expected_body: Iterable[str]) -> str:
        """Return what is taken and what is not, in one sentence."""
        names = tuple(expected_body)
        taken = sum(name in self.body for name in names)
        place = f" from {self.place.title}" if self.place.title else ""
        average = " (a running average)" if self.place.is_averaged else ""
        parts = [
            f"{taken:,} of {count(len(names), 'tensor')} of the body taken{place}{average}",
            self._told_head(),
        ]
        if taken < len(names):
            lacking = count(len(names) - taken, "counter")
            parts.append(f"{lacking} of BatchNorm, which it lacks, set to 0")
        if self.left:
            parts.append(f"{some(self.left)} left out")
        if self.passed:
            titles = [place.title or "those without key and prefix" for place in self.passed]
            parts.append(f"others that would fit are not taken: {some(titles)}")
        return "; ".join(parts) + "."

    def _told_head(self) -> str:
        if not self.head:
            return "there is no head in it"
        shape = next(iter(self.head.values())).shape
        classes = count(shape[0], "class", "classes") if shape else "other classes"
        return f"the head for {classes} left out"


def choose_weights(
    sets: Sequence[TensorSet],
    whole: ExpectedState,
    current_key: Callable[[str], str],
    file: Path,
) -> ChosenWeights:
    """Return the tensors of a file that are a network's, from the one place where they are whole.

    Where no place has all of the body, the nearest one is returned, for the caller to say what it
    lacks.

    Args:
        sets: What ``read_weights_file`` found; at least one.
        whole: What the network needs, for any number of classes.
        current_key: ``Family.current_key``.
        file: For messages.

    Raises:
        InvalidModelDirectoryError: Several places fit and none of them is the usual one.
    """
    body = whole.without_head().tensors
    needed = sum(not name.endswith(COUNTER) for name in body)
    matches = {
        WeightsPlace(one.key, prefix): matched
        for one in sets
        for prefix, matched in _matches(map(current_key, one.tensors), frozenset(body)).items()
    }
    fitting = [place for place, matched in matches.items() if matched == needed]
    best = _best(fitting, file) if fitting else max(matches, key=lambda place: matches[place])
    found = next(one for one in sets if one.key == best.key)
    passed = tuple(place for place in fitting if place != best)
    return _split(found, best, whole, current_key, passed)


def _matches(names: Iterable[str], body: frozenset[str]) -> Counter[str]:
    """Return how many names of the body stand behind each prefix; without any at least ''."""
    found: Counter[str] = Counter({"": 0})
    for name in names:
        parts = name.split(".")
        for start in range(len(parts)):
            bare = ".".join(parts[start:])
            if bare in body and not bare.endswith(COUNTER):
                found[name.removesuffix(bare)] += 1
    return found


def _best(fitting: Sequence[WeightsPlace], file: Path) -> WeightsPlace:
    def order(place: WeightsPlace) -> tuple[int, bool]:
        return place.rank, bool(place.prefix)

    lowest = min(map(order, fitting))
    best = [place for place in fitting if order(place) == lowest]
    if len(best) > 1:
        raise InvalidModelDirectoryError(
            f"{file} holds {len(best)} sets of weights that fit, and none is the usual one: "
            f"{some([place.title for place in best])}.",
            hint="Save the one that you mean alone, with torch.save(model.state_dict(), FILE).",
            reason="ambiguous-weights",
            details={"places": [place.title for place in best]},
        )
    return best[0]


def _split(
    found: TensorSet,
    place: WeightsPlace,
    whole: ExpectedState,
    current_key: Callable[[str], str],
    passed: tuple[WeightsPlace, ...],
) -> ChosenWeights:
    head_modules = tuple(f"{name.rpartition('.')[0]}." for name in whole.head)
    own = {name.split(".")[0] for name in whole.without_head().tensors}
    body: State = {}
    head: State = {}
    left = list(found.others)
    for name, tensor in found.tensors.items():
        current = current_key(name)
        bare = current.removeprefix(place.prefix)
        if not current.startswith(place.prefix):
            left.append(name)
        elif bare.startswith(head_modules):
            head[bare] = tensor
        elif bare.split(".")[0] in own:
            body[bare] = tensor
        else:
            left.append(name)
    return ChosenWeights(place=place, body=body, head=head, left=tuple(left), passed=passed)
