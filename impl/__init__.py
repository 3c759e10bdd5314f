"""HOW a correct system does the cutover: the reference implementation, in memory and deterministic.

from cutproof.impl import Cluster
cluster = Cluster(nodes=["old-0"], shards=3, seed=7)
cluster.put("doc-1", {"title": "a"})
migration = cluster.add_node("new-3")
cluster.run_until(migration.finished)
cluster.get("doc-1"), cluster.audit()
"""

from cutproof.impl.audit import Audit, Entry
from cutproof.impl.availability import Unserved
from cutproof.impl.clients import Status, Write
from cutproof.impl.cluster import Cluster, Snapshot, Stuck, Unavailable
from cutproof.impl.documents import InvalidDocument, ReservedField
from cutproof.impl.migration import Migration
from cutproof.impl.miroir import MigrationError, NotRepaired, UnsafeCutover
from cutproof.model.cutover.policy import Policy

__all__ = [
    "Audit", "Cluster", "Entry", "InvalidDocument", "Migration", "MigrationError", "NotRepaired", "Policy",
    "ReservedField", "Snapshot", "Status", "Stuck", "Unavailable", "UnsafeCutover", "Unserved", "Write",
]  # fmt: skip
