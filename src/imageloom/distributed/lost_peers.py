"""How gloo, NCCL and torch's store say that another process is gone or does not answer.

By words, because they raise plain errors for it; and without torch, because to import it may be
what failed.
"""

from typing import Final

SILENT_REASON: Final = "rank-silent"
LOST_REASON: Final = "rank-lost"
# gloo leaves its name out when it ends a connection itself, or finds it ended.
_LIBRARIES: Final = ("gloo", "nccl", "pair closure", "closed by peer", "reset by peer")
_SILENT: Final = ("timed out", "timeout")
_LOST: Final = ("closed", "reset", "broken pipe", "socket", "connect", "remote", "aborted")


def reason_of_loss(problem: BaseException) -> str:
    """Return whether an error says that another process is silent or lost; empty if neither.

    Errors of torch.distributed that say something else, such as that two processes were given the
    same GPU, are this process's own.
    """
    if not isinstance(problem, RuntimeError):
        return ""
    text = str(problem).lower()
    kinds = [kind.__name__ for kind in type(problem).__mro__]
    # The first is the base of all errors of torch.distributed; gloo raises a plain RuntimeError.
    if "DistError" not in kinds and not any(word in text for word in _LIBRARIES):
        return ""
    if any(word in text for word in _SILENT):
        return SILENT_REASON
    return LOST_REASON if any(word in text for word in _LOST) else ""
