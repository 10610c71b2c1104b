"""The disk: durable writes, the take with its journal, the item's folder, its manifest and the check of it all.

The names are loaded on first use: a short command needs few of them, and making a class takes a millisecond.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hydrophone.late import late_names

if TYPE_CHECKING:
    from hydrophone.archive.durable import PUBLIC_MODE as PUBLIC_MODE
    from hydrophone.archive.durable import SECRET_MODE as SECRET_MODE
    from hydrophone.archive.durable import DurableWriter as DurableWriter
    from hydrophone.archive.durable import make_directory as make_directory
    from hydrophone.archive.durable import remove_orphans as remove_orphans
    from hydrophone.archive.durable import write_file as write_file
    from hydrophone.archive.index import SegmentIndex as SegmentIndex
    from hydrophone.archive.item import Item as Item
    from hydrophone.archive.item import find_item as find_item
    from hydrophone.archive.item import find_items as find_items
    from hydrophone.archive.manifest import Manifest as Manifest
    from hydrophone.archive.manifest import read_manifest as read_manifest
    from hydrophone.archive.manifest import write_manifest as write_manifest
    from hydrophone.archive.original import OriginalDigest as OriginalDigest
    from hydrophone.archive.original import write_original as write_original
    from hydrophone.archive.segments import MediaFiles as MediaFiles
    from hydrophone.archive.segments import StoredSegment as StoredSegment
    from hydrophone.archive.streams import SeenStream as SeenStream
    from hydrophone.archive.streams import StreamStore as StreamStore
    from hydrophone.archive.syncer import Syncer as Syncer
    from hydrophone.archive.syncer import shared_syncer as shared_syncer
    from hydrophone.archive.take import Take as Take
    from hydrophone.archive.verify import Finding as Finding
    from hydrophone.archive.verify import Trouble as Trouble
    from hydrophone.archive.verify import VerifyReport as VerifyReport
    from hydrophone.archive.verify import verify_item as verify_item

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

__getattr__ = late_names(
    __name__,
    {
        "durable": ("PUBLIC_MODE", "SECRET_MODE", "DurableWriter", "make_directory", "remove_orphans", "write_file"),
        "index": ("SegmentIndex",),
        "item": ("Item", "find_item", "find_items"),
        "manifest": ("Manifest", "read_manifest", "write_manifest"),
        "original": ("OriginalDigest", "write_original"),
        "segments": ("MediaFiles", "StoredSegment"),
        "streams": ("SeenStream", "StreamStore"),
        "syncer": ("Syncer", "shared_syncer"),
        "take": ("Take",),
        "verify": ("Finding", "Trouble", "VerifyReport", "verify_item"),
    },
)
