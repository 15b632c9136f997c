"""Copies and moves of objects. No byte is copied: a file gets a second name."""

from localcloud.storage.data.store import Store
from localcloud.storage.model import Conditions, Draft, Object, Settings
from localcloud.storage.rules.names import check_object_name
from localcloud.storage.rules.objects import CLASS_CHANGED


def copy(
    store: Store,
    source: Object,
    destination: tuple[str, str],
    settings: Settings,
    conditions: Conditions,
    base: str,
    *,
    is_move: bool = False,
) -> Object:
    """The new object at the destination, a bucket and a name. A move deletes the source in the same transaction."""
    bucket, name = destination
    store.bucket(bucket)
    draft = Draft(
        bucket,
        check_object_name(name),
        store.contents.link(store.contents.of(source)),
        source.size,
        source.crc32c,
        source.md5,
        settings,
        source.components,
    )
    return store.put(draft, conditions, base, moved=source if is_move else None)


def settings_of(source: Object) -> Settings:
    """The settings that a copy takes from its source. Its storage class is the default of its bucket."""
    return {key: value for key, value in source.settings.items() if key not in {"storageClass", CLASS_CHANGED}}
