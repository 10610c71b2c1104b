"""The disk: durable writes, the take with its journal, the item's folder, its manifest and the check of it all."""

from hydrophone.archive.durable import SECRET_MODE, DurableWriter, write_file
from hydrophone.archive.segments import StoredSegment
from hydrophone.archive.syncer import Syncer, shared_syncer
from hydrophone.archive.take import Take

__all__ = ["SECRET_MODE", "DurableWriter", "StoredSegment", "Syncer", "Take", "shared_syncer", "write_file"]
