"""Own components, families and targets from a folder: added, listed, pinned, and refused."""

import json
import re
import subprocess
import textwrap

import pytest

from imageloom.errors import EnvironmentUnsuitableError
from imageloom.extensions import extensions_digest, find_extensions

COMPONENT = '''
"""A component that passes its pictures on."""
from imageloom.params import Params, parameter
from imageloom.spec.component import COMPONENTS, Component, Port
from imageloom.spec.port_types import IMAGE_DIRECTORY

class SharpenParams(Params):
    strength: float = parameter(0.5, help="How much.", ge=0, le=1)

def run(task):
    from imageloom.data.images.directory import load_image_directory
    load_image_directory(task.inputs["images"]).save(task.outputs["images"])
    return {}

COMPONENTS.declare("sharpen", Component(
    name="sharpen", title="Sharpen", help="Makes edges clearer.", category="Transformations",
    inputs=(Port("images", IMAGE_DIRECTORY, "Images", "Blurred ones."),),
    outputs=(Port("images", IMAGE_DIRECTORY, "Images", "Clear ones."),),
    params=SharpenParams, run=run,
))
'''
FAMILY = '''
"""A family with one small network."""
from imageloom.models.family import FAMILIES, Family, Variant

def build(variant, params, num_classes):
    from torch import nn
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, num_classes))

def published(variant):
    from imageloom.errors import NotInRangeValueError
    raise NotInRangeValueError(f"No weights are published for {variant}.")

FAMILIES.declare("pocket", Family(
    name="pocket", title="Pocket", help="Looks at the mean colour.", source="Example 2026",
    variants=(Variant("pocket1", "Pocket-1", "The only one."),), default_variant="pocket1",
    options=(), build=build, head_modules=lambda network: ("2",), published=published,
    torch_code=lambda variant, params, num_classes: "",
))
'''
TARGET = '''
"""A target that starts nothing."""
from pathlib import Path
from imageloom.spec.target import TARGETS, JobStatus, Limits

class Nowhere:
    name = "nowhere"
    title = "Nowhere"
    help = "Starts nothing."
    limits = Limits(1, 1, 1, 1)

    def start(self, folder, work, *, lock=None): ...
    def status(self, folder): return JobStatus("unknown")
    def end_signal(self, folder): return None
    def stop(self, folder, *, at_once): ...

TARGETS.declare("nowhere", Nowhere())
'''
LIST_ALL = """
import json
from imageloom.cli.reference import pages as reference
from imageloom.components.catalogue import load_components
from imageloom.models.architecture import variant_names
from imageloom.extensions import declare_all
from imageloom.spec.target import TARGETS
import imageloom.targets
declare_all(imageloom.targets)
print(json.dumps({
    "components": load_components().names(),
    "targets": TARGETS.names(),
    "variants": variant_names(),
    "pages": reference.pages(),
}))
"""


@pytest.fixture
def folder(tmp_path):
    for kind, name, text in (
        ("components", "sharpen", COMPONENT),
        ("families", "pocket", FAMILY),
        ("targets", "nowhere", TARGET),
    ):
        (tmp_path / "own" / kind).mkdir(parents=True)
        (tmp_path / "own" / kind / f"{name}.py").write_text(text, encoding="utf-8")
    return tmp_path / "own"


@pytest.fixture
def ask(monkeypatch, python):
    """Return a function that runs lines of Python in a new process, which has the extensions."""

    def ask(setting, code=LIST_ALL):
        monkeypatch.setenv("IMAGELOOM_EXTENSIONS", str(setting))
        return subprocess.run(
            [python, "-c", textwrap.dedent(code)], capture_output=True, text=True, timeout=120
        )

    return ask


@pytest.fixture
def example(repository):
    """The component of the guide."""
    guide = (repository / "docs" / "guides" / "extensions.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```python\n(.*?)```", guide, re.DOTALL)
    return block


def test_nothing_is_loaded_unless_asked_for():
    assert find_extensions() is None
    assert extensions_digest() == ""


def test_one_file_adds_a_component_a_family_or_a_target_everywhere(folder, ask):
    answer = ask(folder)
    assert answer.returncode == 0, answer.stderr
    found = json.loads(answer.stdout)
    assert {"sharpen", "pocket", "dataset"} <= set(found["components"])
    assert "nowhere" in found["targets"]
    assert "pocket1" in found["variants"]
    for name, title in (("sharpen", "Sharpen"), ("pocket", "Pocket")):
        assert f"# {title}\n" in found["pages"][f"components/{name}.md"]
        assert f"[{title}]({name}.md)" in found["pages"]["components/README.md"]
    assert "| `nowhere` | Nowhere | Starts nothing. |" in found["pages"]["components/README.md"]


def test_the_command_line_lists_own_components_and_families(folder, monkeypatch, python):
    monkeypatch.setenv("IMAGELOOM_EXTENSIONS", str(folder))
    command = [python, "-m", "imageloom", "components", "--json"]
    answer = subprocess.run(command, capture_output=True, text=True, timeout=120)
    listed = {one["name"] for one in json.loads(answer.stdout)["components"]}
    assert {"sharpen", "pocket", "dataset"} <= listed


def test_the_command_line_knows_an_own_target(folder, monkeypatch, python, repository):
    monkeypatch.setenv("IMAGELOOM_EXTENSIONS", str(folder))
    seed = str(repository / "examples" / "seed.json")
    command = [python, "-m", "imageloom", "run", seed, "--target", "nowher"]
    answer = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert answer.returncode == 1
    assert "Did you mean nowhere?" in answer.stderr


def test_a_banner_names_folder_files_and_digest(folder, ask, monkeypatch):
    answer = ask(folder)
    digest = extensions_digest()
    assert len(digest) == 64
    assert answer.stderr.count(str(folder)) == 1
    assert f"sha256 {digest}: components/sharpen.py, families/pocket.py, targets/now" in (
        answer.stderr
    )


def test_the_pinned_content_is_loaded_and_any_other_refused(folder, monkeypatch):
    monkeypatch.setenv("IMAGELOOM_EXTENSIONS", str(folder))
    pin = f"{folder}#sha256={extensions_digest()}"
    monkeypatch.setenv("IMAGELOOM_EXTENSIONS", pin)
    assert pin.endswith(extensions_digest())
    (folder / "components" / "sharpen.py").write_text(COMPONENT + "\n", encoding="utf-8")
    monkeypatch.setenv("IMAGELOOM_EXTENSIONS", f"{folder}/{pin.removeprefix(str(folder))}")
    with pytest.raises(EnvironmentUnsuitableError, match=r"have the sha256 .*asks for"):
        find_extensions()


@pytest.mark.parametrize("pin", ["", "0", "f" * 64])
def test_a_pin_that_is_no_digest_of_the_content_is_refused(folder, monkeypatch, pin):
    monkeypatch.setenv("IMAGELOOM_EXTENSIONS", f"{folder}#sha256={pin}")
    with pytest.raises(EnvironmentUnsuitableError, match="asks for"):
        find_extensions()


def test_a_mistake_is_named_with_its_file_and_line(folder, ask):
    file = folder / "components" / "broken.py"
    file.write_text('"""A mistake."""\n\nimport os\nos.no_such_thing\n', encoding="utf-8")
    answer = ask(folder)
    assert f"EnvironmentUnsuitableError: The extension {file}, line 4, has a mistake" in (
        answer.stderr
    )


def test_a_mistake_of_syntax_is_named_with_its_line(folder, ask):
    file = folder / "families" / "broken.py"
    file.write_text('"""A mistake."""\ndef (:\n', encoding="utf-8")
    assert f"The extension {file}, line 2, has a mistake: SyntaxError" in ask(folder).stderr


def test_a_component_that_is_there_already_is_refused(folder, ask):
    text = COMPONENT.replace('"sharpen"', '"dataset"')
    (folder / "components" / "sharpen.py").write_text(text, encoding="utf-8")
    answer = ask(folder)
    assert "'dataset' is declared twice" in answer.stderr
    assert f"The extension {folder}/components/sharpen.py, line" in answer.stderr


def test_a_file_with_the_name_of_one_of_ours_is_refused(folder, ask):
    (folder / "components" / "dataset.py").write_text(COMPONENT, encoding="utf-8")
    assert "has the name of a file of imageloom.components" in ask(folder).stderr


@pytest.mark.parametrize("name", ["module.so", "module.pyc", "notes.txt"])
def test_anything_but_source_files_is_refused(folder, monkeypatch, name):
    (folder / "components" / name).write_bytes(b"")
    monkeypatch.setenv("IMAGELOOM_EXTENSIONS", str(folder))
    with pytest.raises(EnvironmentUnsuitableError, match=f"{name} is not a plain Python file"):
        find_extensions()


def test_a_link_is_refused(folder, monkeypatch, tmp_path):
    (folder / "components" / "link.py").symlink_to(folder / "components" / "sharpen.py")
    monkeypatch.setenv("IMAGELOOM_EXTENSIONS", str(folder))
    with pytest.raises(EnvironmentUnsuitableError, match="is not a plain Python file"):
        find_extensions()


def test_a_folder_without_extensions_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("IMAGELOOM_EXTENSIONS", str(tmp_path / "nothing"))
    with pytest.raises(EnvironmentUnsuitableError, match="there are no extensions"):
        find_extensions()


def test_the_folder_is_not_written_to(folder, ask):
    before = sorted(folder.rglob("*"))
    assert ask(folder).returncode == 0
    assert sorted(folder.rglob("*")) == before


def test_compiled_files_are_not_read(folder, ask, python):
    """A compiled file could hold something else than the source that was pinned."""
    file = folder / "components" / "sharpen.py"
    file.write_text(COMPONENT.replace("sharpen", "blurred"), encoding="utf-8")
    compiled = subprocess.run(
        [python, "-m", "compileall", "--invalidation-mode", "unchecked-hash", "-q", str(file)]
    )
    assert compiled.returncode == 0
    assert list((folder / "components" / "__pycache__").iterdir())
    file.write_text(COMPONENT, encoding="utf-8")
    assert "sharpen" in json.loads(ask(folder).stdout)["components"]


@pytest.mark.slow
def test_the_guides_example_and_a_family_keep_the_contract(
    folder, example, monkeypatch, python, repository
):
    (folder / "components" / "drop_transforms.py").write_text(example, encoding="utf-8")
    monkeypatch.setenv("IMAGELOOM_EXTENSIONS", str(folder))
    tests = str(repository / "tests" / "contract" / "test_components.py")
    words = ["-q", "-p", "no:cacheprovider", "-k", "drop_transforms or pocket"]
    answer = subprocess.run(
        [python, "-m", "pytest", tests, *words],
        capture_output=True,
        text=True,
        cwd=repository,
        timeout=240,
    )
    assert answer.returncode == 0, answer.stdout[-3000:]
    passed = int(re.findall(r"(\d+) passed", answer.stdout)[0])
    assert passed >= 25
