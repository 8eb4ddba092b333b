"""Links that a walk over a folder has met: refused where pictures are lost, else told."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from imageloom.data.images.index import file_name
from imageloom.data.sources.folder import problems as scan_problems
from imageloom.data.sources.folder.problems import LinkedFiles, leading
from imageloom.system.wording import count, some

MAX_FOLLOWED: Final = 100_000  # links to folders; classes are fewer


@dataclass
class LinksMet:
    """What was met of links on a walk; paths are relative to its root.

    Attributes:
        folders: Links to folders that should be followed and are not, and where they lead.
        broken: Links beside class folders that lead nowhere and may have been one.
        files: Folders of which most files are links that are not followed.
        followed: Links to folders that were followed, and where they lead.
        followed_files: How many links to files were followed.
        followed_into: The folders in which these files lie, as keys.
    """

    folders: list[tuple[bytes, bytes]] = field(default_factory=list)
    broken: list[tuple[bytes, bytes]] = field(default_factory=list)
    files: list[LinkedFiles] = field(default_factory=list)
    followed: list[tuple[bytes, bytes]] = field(default_factory=list)
    followed_files: int = 0
    followed_into: dict[bytes, None] = field(default_factory=dict)

    def follow(self, root: bytes, link: bytes, target: bytes) -> None:
        """Note a link to a folder that is followed.

        Raises:
            InvalidDatasetError: It is one too many: links that lead to folders with links, and so
                on, can make billions of ways to a few pictures without any loop.
        """
        self.followed.append((link, target))
        if len(self.followed) > MAX_FOLLOWED:
            raise scan_problems.too_many_links(root, MAX_FOLLOWED, leading([(link, target)])[0])

    def refuse_losses(self, root: Path) -> None:
        """Refuse links behind which pictures would be lost.

        Raises:
            InvalidDatasetError: Links to folders, links that lead nowhere where class folders lie,
                or a folder in which most files are links.
        """
        if self.folders:
            raise scan_problems.linked_folders(root, sorted(self.folders))
        if self.broken:
            raise scan_problems.broken_folders(root, sorted(self.broken))
        if self.files:
            raise scan_problems.linked_files(root, min(self.files))

    def notices(self) -> Iterator[str]:
        """Say what was followed, and where to."""
        if self.followed:
            folders = count(len(self.followed), "link to a folder was", "links to folders were")
            yield f"{folders} followed: {some(leading(sorted(self.followed)))}."
        if self.followed_files:
            files = count(self.followed_files, "link to a file was", "links to files were")
            places = [file_name(place) for place in sorted(self.followed_into)]
            yield f"{files} followed, into {some(places)}."
