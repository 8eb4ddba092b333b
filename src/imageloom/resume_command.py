"""How a training goes on: a value that errors carry, and of which a command is made once."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Self


@dataclass(frozen=True)
class Resume:
    """How a training goes on; whoever passes it on adds what only they know.

    Attributes:
        run: The run directory.
        target: The target it trains on, which knows how it was launched; empty for this machine.
        launch: Without a target, the options that say on which machines it goes on.
        more: What a person fills in, such as ``--root NEW``.
    """

    run: str
    target: str = ""
    launch: tuple[str, ...] = ()
    more: tuple[str, ...] = ()

    @property
    def command(self) -> str:
        """What a person types, quoted for a shell."""
        where = ("--target", self.target) if self.target else self.launch
        return shlex.join(["imageloom", "train", "--resume", self.run, *self.more, *where])

    def knowing(self, *, target: str = "", launch: Sequence[str] = ()) -> Self:
        """Return the same with a target and a launch where there were none."""
        return replace(self, target=self.target or target, launch=self.launch or tuple(launch))

    def to_json(self) -> dict[str, object]:
        """Return the fields, with the command for those who read the file themselves."""
        lists = {"launch": list(self.launch), "more": list(self.more)}
        return asdict(self) | lists | {"command": self.command}

    @classmethod
    def from_json(cls, content: object) -> Self | None:
        """Return the value whose ``to_json`` this is; None where there is none."""
        if not isinstance(content, Mapping) or not content.get("run"):
            return None
        return cls(
            run=str(content["run"]),
            target=str(content.get("target", "")),
            launch=_words(content.get("launch")),
            more=_words(content.get("more")),
        )


def _words(content: object) -> tuple[str, ...]:
    return tuple(map(str, content)) if isinstance(content, list) else ()
