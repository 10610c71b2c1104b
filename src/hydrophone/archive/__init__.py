"""The disk: durable writes, the take with its journal, the item's folder, its manifest and the check of it all."""

from hydrophone.archive.durable import (
    PUBLIC_MODE,
    SECRET_MODE,
    DurableWriter,
    make_directory,
    remove_orphans,
    write_file,
)
from hydrophone.archive.index import SegmentIndex
from hydrophone.archive.item import Item, find_item, find_items
from hydrophone.archive.manifest import Manifest, read_manifest, write_manifest
from hydrophone.archive.original import OriginalDigest, write_original
from hydrophone.archive.segments import MediaFiles, StoredSegment
from hydrophone.archive.streams import SeenStream, StreamStore
from hydrophone.archive.syncer import Syncer, shared_syncer
from hydrophone.archive.take import Take
from hydrophone.archive.verify import Finding, Trouble, VerifyReport, verify_item

__all__ = [
    "PUBLIC_MODE",
    "SECRET_MODE",
    "DurableWriter",
    "Finding",
    "Item",
    "Manifest",
    "MediaFiles",
    "OriginalDigest",
    "SeenStream",
    "SegmentIndex",
    "StoredSegment",
    "StreamStore",
    "Syncer",
    "Take",
    "Trouble",
    "VerifyReport",
    "find_item",
    "find_items",
    "make_directory",
    "read_manifest",
    "remove_orphans",
    "shared_syncer",
    "verify_item",
    "write_file",
    "write_manifest",
    "write_original",
]
