"""Is the store on a disk of this machine?"""

from __future__ import annotations

from pathlib import Path

import psutil

from tracking.errors import StoreError

# SQLite's WAL needs shared memory, and our liveness needs flock: both are of one host.
NETWORK = frozenset(
    "nfs nfs3 nfs4 cifs smb smbfs smb2 smb3 afpfs ncpfs lustre gpfs beegfs ceph glusterfs webdav davfs 9p "
    "fuse.sshfs fuse.s3fs fuse.rclone fuse.glusterfs fuse.cephfs fuse.gcsfuse fuse.davfs2 fuse.juicefs".split()
)


def filesystem_of(folder: Path) -> str:
    """Return the type of the file system that holds `folder` (or its nearest existing parent), in lower case."""
    folder = folder.resolve()
    best, kind = -1, ""
    for partition in psutil.disk_partitions(all=True):
        mount = Path(partition.mountpoint)
        if len(mount.parts) > best and folder.is_relative_to(mount):
            best, kind = len(mount.parts), partition.fstype.lower()
    return kind


def refuse_network_filesystem(folder: Path) -> None:
    """Raise `StoreError` when `folder` is on a network file system."""
    kind = filesystem_of(folder)
    if kind in NETWORK:
        raise StoreError(
            f"{folder} is on a network file system ({kind}), where SQLite can lose data. Name a folder on a local "
            "disk: TRACKING_STORE=/local/folder, or start_run(…, store='/local/folder')."
        )
