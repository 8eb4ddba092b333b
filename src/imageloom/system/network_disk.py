"""Whether a folder lies on a disk that other machines write, too."""

from pathlib import Path
from typing import Final

_MOUNTS: Final = Path("/proc/self/mountinfo")
_NETWORK: Final = frozenset(
    {
        *("nfs", "nfs4", "cifs", "smb3", "smbfs", "ncpfs", "afs", "9p", "virtiofs"),
        *("ceph", "lustre", "gpfs", "beegfs", "glusterfs", "ocfs2", "gfs2", "orangefs"),
    }
)
_NETWORK_IN_FUSE: Final = (
    "sshfs",
    "gluster",
    "s3fs",
    "gcsfuse",
    "goofys",
    "rclone",
    "ceph",
    "moose",
)


def network_disk(folder: Path, mounts: str | None = None) -> str:
    """Return the kind of file system of a folder on a network disk; empty on a disk of its own.

    Args:
        folder: Absolute; need not be there yet.
        mounts: What ``/proc/self/mountinfo`` says; by default it is read. Where there is none, as
            on other systems, nothing is known.

    Source:
        proc_pid_mountinfo(5): the mount point is the fifth field, and the kind the one behind the
        hyphen.
    """
    if mounts is None:
        try:
            mounts = _MOUNTS.read_text(encoding="utf-8", errors="surrogateescape")
        except OSError:
            return ""
    deepest, kind = -1, ""
    for line in mounts.splitlines():
        before, _, behind = line.partition(" - ")
        fields = before.split()
        if len(fields) < 5 or not behind:
            continue
        point = Path(_plain(fields[4]))
        # Of two at one place the later one hides the earlier.
        if folder.is_relative_to(point) and len(point.parts) >= deepest:
            deepest, kind = len(point.parts), behind.split()[0]
    of_fuse = kind.startswith("fuse") and any(name in kind for name in _NETWORK_IN_FUSE)
    return kind if kind in _NETWORK or of_fuse else ""


def _plain(text: str) -> str:
    """Return a mount point as it is: white space and backslashes stand in it as octal numbers."""
    for code in ("040", "011", "012", "134"):
        text = text.replace(f"\\{code}", chr(int(code, 8)))
    return text
