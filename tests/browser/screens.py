"""Takes a picture of every view of the studio, light and dark, wide and narrow, to look at.

``make screenshots SCREENS=folder SCREENS_ARGS="--only NAME"`` takes those views whose name contains
it. ``--only run- --guide`` writes the three pictures of ``docs/guides/studio`` too.
"""

import argparse
import os
import shutil
import sys
import tempfile
from pathlib import Path

from PIL import Image, ImageDraw
from playwright.sync_api import Browser, Page, sync_playwright

from .scene import Scene, begin
from .studio_process import StudioProcess
from .views import VIEWS, Stage, View, bring_to, settle, speak

SIZES = {"wide": (1440, 900), "narrow": (390, 844)}
SCHEMES = ("light", "dark")
SWITCHES = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]
GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "studio"
GUIDE_PICTURES = {"draw": "node-with-pictures", "watch": "run-running", "look": "evaluation"}
GUIDE_COLOURS = 256  # 40 KB each; small marks keep their colours
_COLUMNS = {"wide": 3, "narrow": 6}
_THUMBNAIL = {"wide": 640, "narrow": 300}


def main() -> None:
    """Take the pictures that were asked for."""
    parser = argparse.ArgumentParser(description="Take pictures of every view of the studio.")
    parser.add_argument("out", type=Path, help="folder for the pictures, outside of the repository")
    parser.add_argument("--only", default="", help="views whose name contains this")
    parser.add_argument("--guide", action="store_true", help="write the pictures of the guide too")
    parser.add_argument("--scheme", choices=SCHEMES, action="append", help="only this one")
    parser.add_argument("--size", choices=tuple(SIZES), action="append", help="only this one")
    parser.add_argument("--language", choices=("en", "fr"), default="en", help="of the page")
    asked = parser.parse_args()
    chromium = os.environ.get("IMAGELOOM_CHROMIUM") or shutil.which("chromium")
    if chromium is None:
        sys.exit("Chromium is not installed; IMAGELOOM_CHROMIUM can name it.")
    with tempfile.TemporaryDirectory(prefix="studio-") as folder, sync_playwright() as playwright:
        studio = StudioProcess(sys.executable, Path(folder))
        studio.start()
        browser = playwright.chromium.launch(executable_path=chromium, args=SWITCHES)
        try:
            take_all(browser, begin(studio), asked)
        finally:
            browser.close()
            studio.stop()
    for size in asked.size or SIZES:
        for scheme in asked.scheme or SCHEMES:
            _sheet(asked.out / f"{size}-{scheme}", _THUMBNAIL[size], _COLUMNS[size])


def take_all(browser: Browser, scene: Scene, asked: argparse.Namespace) -> None:
    """Walk through the stages, and in each through its views, in every size and appearance."""
    views = [one for one in VIEWS if asked.only in one.name]
    for stage in Stage:
        if all(one.stage < stage for one in views):
            return
        tabs = []
        for size in asked.size or SIZES:
            for scheme in asked.scheme or SCHEMES:
                tab = _tab(browser, scene, SIZES[size], scheme)
                tabs.append((tab, asked.out / f"{size}-{scheme}", size == "wide"))
        bring_to(scene, stage)
        for tab, folder, is_wide in tabs:
            for view in views:
                if view.stage is stage and (is_wide or not view.is_wide):
                    _take(tab, scene, view, folder, asked.language)
            tab.context.close()
        if stage is Stage.BUSY and asked.guide:
            _take_guide(browser, scene)


def _tab(browser: Browser, scene: Scene, size: tuple[int, int], scheme: str) -> Page:
    width, height = size
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if scheme == "dark" else "light",
        locale="en-GB",
        reduced_motion="reduce",
    )
    context.set_default_timeout(15_000)
    tab = context.new_page()
    tab.goto(scene.studio.link)
    tab.goto(f"{scene.studio.address}runs/{scene.runs.get('finished', '')}")
    tab.get_by_role("heading", level=1).wait_for()
    return tab


def _take(tab: Page, scene: Scene, view: View, folder: Path, language: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    try:
        view.show(tab, scene)
        settle(tab)
        if language != "en":
            speak(tab, language)
    except Exception as problem:  # noqa: BLE001 - the others are wanted all the same
        print(f"{folder.name}/{view.name}: {str(problem).splitlines()[0]}", file=sys.stderr)  # noqa: T201
    if view.stage is not Stage.GONE:
        wider = tab.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        if wider > 0:
            print(f"{folder.name}/{view.name}: {wider} px too wide", file=sys.stderr)  # noqa: T201
    tab.screenshot(path=folder / f"{view.name}.png")
    if language != "en":
        speak(tab, "en")  # views are found by their English words
    if view.name == "not-signed-in":
        tab.goto(scene.studio.link)


def _take_guide(browser: Browser, scene: Scene) -> None:
    views = {one.name: one for one in VIEWS}
    tab = _tab(browser, scene, (1280, 800), "light")
    for name, view in GUIDE_PICTURES.items():
        views[view].show(tab, scene)
        settle(tab)
        file = GUIDE / f"{name}.png"
        tab.screenshot(path=file)
        with Image.open(file) as taken:
            small = taken.convert("RGB").resize((1024, 640), Image.Resampling.LANCZOS)
        few = small.quantize(
            GUIDE_COLOURS, Image.Quantize.MAXCOVERAGE, kmeans=1, dither=Image.Dither.NONE
        )
        few.save(file, optimize=True)
    tab.context.close()


def _sheet(folder: Path, width: int, columns: int) -> None:
    """Put all pictures of a folder on sheets of a few rows, with their names."""
    files = sorted(folder.glob("*.png"), key=lambda one: one.stat().st_mtime)
    per_sheet = 3 * columns
    for first in range(0, len(files), per_sheet):
        pictures = []
        for file in files[first : first + per_sheet]:
            with Image.open(file) as taken:
                height = round(width * taken.height / taken.width)
                pictures.append((file.stem, taken.convert("RGB").resize((width, height))))
        row_px = pictures[0][1].height + 24
        sheet = Image.new("RGB", (columns * (width + 8), 3 * row_px), "#777777")
        pen = ImageDraw.Draw(sheet)
        for at, (name, picture) in enumerate(pictures):
            x, y = at % columns * (width + 8), at // columns * row_px
            pen.text((x + 4, y + 5), name, fill="white")
            sheet.paste(picture, (x, y + 22))
        sheet.save(folder.parent / f"sheet-{folder.name}-{first // per_sheet + 1}.png")


if __name__ == "__main__":
    main()
