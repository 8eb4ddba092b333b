"""Outputs that changed on disk after they were published.

Sizes are looked at whenever an output is used. Every byte is read only here: when a node failed in
a way that damaged inputs can explain.
"""

from collections.abc import Mapping
from typing import Final

from imageloom.errors import StoreCorruptError
from imageloom.pipeline.run_record import NodeFacts
from imageloom.pipeline.store.objects import ObjectStore
from imageloom.spec.job import Output

_SUSPICIOUS: Final = ("damaged", "missing-file", "not-json", "bad-manifest")  # reasons of errors


def remove_damaged(
    facts: NodeFacts, inputs: Mapping[str, Output], store: ObjectStore
) -> tuple[str, ...]:
    """Remove the damaged inputs of a failed node from the store, so that they are made again.

    Args:
        facts: How the node ended.
        inputs: What it took, by port.
        store: Where that lies.

    Returns:
        The ports of the inputs that were damaged.
    """
    if facts.error is None or facts.error.get("reason") not in _SUSPICIOUS:
        return ()
    damaged = tuple(port for port, one in inputs.items() if not _is_as_published(one, store))
    for port in damaged:
        with store.lock():
            store.remove(inputs[port].object)
    return damaged


def _is_as_published(output: Output, store: ObjectStore) -> bool:
    try:
        store.verify(output.object)
    except StoreCorruptError:
        return False
    return True
