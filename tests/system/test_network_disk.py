"""J04: a disk of the network is known by what the kernel says of mounts."""

from pathlib import Path

import pytest

from imageloom.system.network_disk import network_disk

# As proc_pid_mountinfo(5) has them, with one at a place that another hides.
MOUNTS = r"""
22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
30 22 0:40 / /home rw shared:9 master:2 - nfs4 server:/home rw,vers=4.2
31 30 0:41 / /home/ada/fast rw - xfs /dev/nvme0n1 rw
32 22 0:42 / /mnt/our\040share rw - cifs //server/share rw
33 22 0:43 / /data rw - ext4 /dev/sdb rw
34 22 0:44 / /data rw - fuse.sshfs ada@server: rw
35 22 0:45 / /run/user/1 rw - fuse.portal portal rw
nonsense
"""


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("/srv/work", ""),
        ("/home", "nfs4"),
        ("/home/ada/work", "nfs4"),
        ("/home/ada/fast/work", ""),
        ("/homes", ""),
        ("/mnt/our share/work", "cifs"),
        ("/data/work", "fuse.sshfs"),
        ("/run/user/1/doc", ""),
    ],
)
def test_the_deepest_mount_says_what_a_folder_lies_on(folder, kind):
    assert network_disk(Path(folder), MOUNTS) == kind


def test_this_machine_is_asked(tmp_path):
    assert network_disk(tmp_path) in ("", "9p", "virtiofs", "nfs4")
