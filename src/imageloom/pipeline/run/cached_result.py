"""Whether a node of a run takes a result that is there already."""

from imageloom.pipeline.run_record import RunRecord
from imageloom.pipeline.store.objects import ObjectStore
from imageloom.spec.job import CacheEntry


def cached_result(
    store: ObjectStore, record: RunRecord, run_id: str, node_id: str, key: str
) -> CacheEntry | None:
    """Return what the cache has for a node, or None if it must be made.

    Of a node that was asked to be made anew only what this very run made is taken.

    Args:
        store: Where results are kept.
        record: Of the run.
        run_id: The run.
        node_id: The node.
        key: What its work is known by.
    """
    entry = store.cache_entry(key)
    if entry is None or (node_id in record.fresh and entry.run_id != run_id):
        return None
    return entry
