"""What holds for every component, those of a person's own extensions among them."""

import contextlib
import dataclasses
import hashlib
import json
import shutil
import subprocess
from pathlib import Path

import pytest

from imageloom.cli.reference import pages as reference
from imageloom.components.catalogue import load_components
from imageloom.errors import ImageloomError, ParameterError
from imageloom.params import describe
from imageloom.pipeline.graph.graph import Node
from imageloom.pipeline.graph.resolve import ResolvedNode
from imageloom.pipeline.run.keys import node_key
from imageloom.spec.component_json import component_to_json
from imageloom.spec.port_types import PORT_TYPES
from imageloom.spec.run_settings import RunSettings

COMPONENTS = load_components()
NETWORK = "timm/test_resnet"  # the smallest there is
# What makes a component quick. Others run with their defaults.
QUICK = {
    "train_pytorch_model": {
        "epochs": 1,
        "batch_size": 4,
        "image_size": 32,
        "augmentation": "none",
        "device": "cpu",
        "workers": 0,
    },
    "score_image_model": {"device": "cpu", "workers": 0},
    "convert_to_image_directory": {"workers": 1},
    "export_model": {"to": "timm"},
    "timm": {"model_name": NETWORK},
}
PORTS = [(component, port) for component in COMPONENTS for port in component.inputs]


@pytest.fixture(params=COMPONENTS, ids=lambda component: component.name)
def component(request):
    return request.param


@pytest.fixture(scope="module")
def pictures(make_pictures):
    return make_pictures(per_class=4, classes=("red", "green"))


@pytest.fixture(scope="module")
def examples(pictures, tmp_path_factory):
    """One directory of each port type."""
    from imageloom.data.dataset import save_dataset
    from imageloom.data.images.directory import Rejected
    from imageloom.exporting.export import export
    from imageloom.exporting.params import ExportParams
    from imageloom.models.architecture import build_network, resolve_architecture
    from imageloom.models.model_directory import TrainedModel, create_model, save_trained
    from imageloom.models.params import ModelParams
    from imageloom.preprocessing import CenterCrop, Normalisation, Preprocessing, Squash
    from imageloom.preprocessing.transformation_directory import save_transforms
    from imageloom.reports.evaluate_to import evaluate_to
    from imageloom.scoring.params import ScoreParams
    from imageloom.scoring.score import score
    from imageloom.scoring.tables.directory import save_scores

    folder = tmp_path_factory.mktemp("examples")
    save_dataset(pictures.root, folder / "AnyDirectory")
    left_out = (Rejected("x.png", "is empty"),)  # so that no file of the directory is empty
    dataclasses.replace(pictures, rejected=left_out).save(folder / "ImageDirectory")
    save_transforms((CenterCrop(size=32),), folder / "TransformationDirectory")
    create_model(NETWORK, folder / "UntrainedModelDirectory")
    architecture = resolve_architecture(NETWORK, ModelParams())
    preprocessing = Preprocessing(transforms=(Squash(size=32),), normalisation=Normalisation())
    network = build_network(architecture, 2)
    model = TrainedModel(architecture, pictures.classes, preprocessing, network)
    save_trained(folder / "ModelDirectory", model)
    table = score(model, pictures, params=ScoreParams(device="cpu", workers=0))
    save_scores(table, folder / "ScoredTable")
    evaluate_to(table, folder / "EvaluationResults")
    params = ExportParams(to="timm")
    export(model, folder / "ExportedModelDirectory", pictures, params=params)
    return {name: folder / name for name in PORT_TYPES.names()}


@pytest.fixture(scope="module")
def empty_examples(examples, tmp_path_factory):
    """A directory of each port type that can be empty, and is."""
    from imageloom.data.dataset import save_dataset
    from imageloom.data.images.directory import load_image_directory
    from imageloom.scoring.tables.directory import load_scores, save_scores

    folder = tmp_path_factory.mktemp("empty")
    (folder / "nothing").mkdir()
    save_dataset(folder / "nothing", folder / "AnyDirectory")
    images = load_image_directory(examples["ImageDirectory"])
    dataclasses.replace(images, index=images.index.slice(0, 0)).save(folder / "ImageDirectory")
    table = load_scores(examples["ScoredTable"])
    rows = {
        name: getattr(table, name)[:0]
        for name in ("files", "labels_N", "predicted_N", "probabilities_NK")
    }
    save_scores(dataclasses.replace(table, **rows), folder / "ScoredTable")
    return {path.name: path for path in folder.iterdir() if path.name != "nothing"}


@pytest.fixture
def task_of(make_task, examples, pictures):
    """Return a function that makes a quick task of a component, with good inputs unless given."""

    def task_of(component, **inputs):
        params = dict(QUICK.get(component.name, {}))
        if component.category == "Models":
            params |= {"pretrained": False}
        if component.name == "dataset":
            params |= {"path": str(pictures.root)}
        good = {port.name: examples[port.type] for port in component.inputs}
        return make_task(component, good | inputs, params=params)

    return task_of


def digests(task, returned):
    """Return what each output means, as the engine sees it."""
    return {
        port: returned.get(port) or hash_of_files(folder) for port, folder in task.outputs.items()
    }


def hash_of_files(folder):
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    lines = [(str(path.relative_to(folder)), path.read_bytes()) for path in files]
    return hashlib.sha256(repr(lines).encode()).hexdigest()


def read(port_type, folder):
    """Open a directory as a component that takes it would."""
    from imageloom.data.dataset import dataset_path
    from imageloom.data.images.directory import load_image_directory
    from imageloom.files.publish import verify_directory
    from imageloom.models.model_directory import load_trained, load_untrained
    from imageloom.preprocessing.transformation_directory import load_transforms
    from imageloom.scoring.tables.directory import load_scores

    readers = {
        "AnyDirectory": dataset_path,
        "ImageDirectory": load_image_directory,
        "TransformationDirectory": load_transforms,
        "UntrainedModelDirectory": load_untrained,
        "ModelDirectory": load_trained,
        "ScoredTable": load_scores,
        "EvaluationResults": lambda path: verify_directory(path, AssertionError),
        "ExportedModelDirectory": lambda path: verify_directory(path, AssertionError),
    }
    readers[port_type](folder)


def assert_refused(component, task):
    """Run a task that must fail with an error that the component declares, and publish nothing."""
    with pytest.raises(ImageloomError, match=r"\w+") as caught:
        component.run(task)
    assert isinstance(caught.value, component.errors), repr(caught.value)
    assert [path.name for path in task.scratch.parent.joinpath("outputs").iterdir()] == []


def test_it_says_what_it_is(component):
    assert COMPONENTS.get(component.name) is component
    assert component.name.isidentifier()
    assert component.title
    assert component.help.endswith(".")
    assert component.outputs
    assert component.version >= 1
    assert all(issubclass(error, ImageloomError) for error in component.errors)


def test_its_ports_have_names_known_types_and_help(component):
    for ports in (component.inputs, component.outputs):
        assert len({port.name for port in ports}) == len(ports)
        for port in ports:
            assert port.name.isidentifier()
            assert port.type in PORT_TYPES
            assert port.title
            assert port.help.endswith(".")
            assert not port.given_by or port.given_by in component.params.model_fields


def test_its_parameters_are_described(component):
    for one in describe(component.params):
        assert one.title
        assert one.help.endswith("."), one.name
        assert one.default is not None or one.optional
        if one.kind == "choice":
            assert one.default in one.choices or (one.default is None and one.optional)
    assert set(component.renamed.values()) <= set(component.params.model_fields)
    assert not set(component.renamed) & set(component.params.model_fields)


def test_its_defaults_are_values_that_it_takes(component):
    defaults = {one.name: one.default for one in describe(component.params)}
    assert component.params.parse(defaults) == component.params()


def test_it_has_a_page_in_the_docs(component):
    page = reference.pages()[f"components/{component.name}.md"]
    assert f"# {component.title}\n" in page
    for one in (*component.inputs, *component.outputs, *describe(component.params)):
        assert f"| `{one.name}` |" in page
        assert one.help.replace("|", r"\|").replace("<", "&lt;") in page
    assert all(error.__name__ in page for error in component.errors)


def key_of(component, **params):
    node = Node(id="n", component=component.name, params=params, settings={})
    resolved = ResolvedNode(node, component, component.params.parse(params), RunSettings(), {})
    return node_key(resolved, {}, "")


def another_value(component, one):
    """Return a value of a parameter that is not its default."""
    candidates = {
        "bool": lambda default: [not default],
        "choice": lambda default: [choice for choice in one.choices if choice != default],
        "str": lambda _: ["another"],
        "list": lambda _: [("another",)],
        "int": lambda default: [(default or 0) + 1, (default or 1) - 1],
        "float": lambda default: [(default or 0.1) * 0.75],
    }
    for value in candidates[one.kind](one.default):
        with contextlib.suppress(ParameterError):
            component.params.parse({one.name: value})
            return value
    raise AssertionError(f"no other value of {one.name} is known to this test")


def test_the_parameters_that_affect_the_output_make_the_key(component):
    for one in describe(component.params):
        if len(one.choices) == 1:
            continue  # a family with one network
        changed = key_of(component, **{one.name: another_value(component, one)})
        assert (changed != key_of(component)) == one.affects_output, one.name


def test_a_new_version_has_new_keys(component):
    newer = dataclasses.replace(component, version=component.version + 1)
    assert key_of(newer) != key_of(component)


@pytest.mark.parametrize(("component", "port"), PORTS, ids=[f"{c.name}.{p.name}" for c, p in PORTS])
class TestBadInput:
    def test_an_empty_one_is_refused(self, component, port, task_of, empty_examples):
        if port.type not in empty_examples:
            pytest.skip(f"{port.type} cannot be empty")
        assert_refused(component, task_of(component, **{port.name: empty_examples[port.type]}))

    def test_an_empty_folder_is_refused(self, component, port, task_of, tmp_path):
        (tmp_path / "nothing").mkdir()
        assert_refused(component, task_of(component, **{port.name: tmp_path / "nothing"}))

    def test_a_missing_folder_is_refused(self, component, port, task_of, tmp_path):
        assert_refused(component, task_of(component, **{port.name: tmp_path / "missing"}))

    def test_a_directory_of_another_type_is_refused(self, component, port, task_of, examples):
        # An image directory is one of the things that can be converted.
        fitting = {port.type} | ({"ImageDirectory"} if port.type == "AnyDirectory" else set())
        for other in set(examples) - fitting:
            assert_refused(component, task_of(component, **{port.name: examples[other]}))

    @pytest.mark.parametrize("damage", ["truncated", "removed", "one bit flipped"])
    def test_a_damaged_one_is_refused(self, component, port, task_of, examples, tmp_path, damage):
        whole = examples[port.type]
        for number, name in enumerate(sorted(file.name for file in whole.iterdir())):
            broken = tmp_path / f"broken-{number}"
            shutil.copytree(whole, broken)
            DAMAGES[damage](broken / name)
            assert_refused(component, task_of(component, **{port.name: broken}))


def flip_bit(file):
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


DAMAGES = {
    "truncated": lambda file: file.write_bytes(file.read_bytes()[:-1]),
    "removed": Path.unlink,
    "one bit flipped": flip_bit,
}


@pytest.mark.slow
def test_the_same_work_gives_the_same_result_anywhere(component, task_of):
    first, second = task_of(component), task_of(component)
    outcome = digests(first, component.run(first))
    assert set(outcome) == {port.name for port in component.given_outputs(first.params)}
    assert digests(second, component.run(second)) == outcome


@pytest.mark.slow
def test_its_outputs_can_be_read_where_the_store_keeps_them(component, task_of, tmp_path):
    task = task_of(component)
    component.run(task)
    for port in component.given_outputs(task.params):
        kept = tmp_path / "objects" / port.name
        kept.parent.mkdir(exist_ok=True)
        task.outputs[port.name].rename(kept)
        read(port.type, kept)


@pytest.mark.slow
def test_its_inputs_are_only_read(component, task_of):
    task = task_of(component)
    before = {port: hash_of_files(folder) for port, folder in task.inputs.items()}
    component.run(task)
    assert {port: hash_of_files(folder) for port, folder in task.inputs.items()} == before


def test_declaring_components_imports_nothing_heavy(python):
    code = (
        "import sys\n"
        "from imageloom.components.catalogue import load_components\n"
        "load_components(); load_components()\n"
        "heavy = ('torch', 'torchvision', 'timm', 'numpy', 'PIL', 'pyarrow', 'sqlalchemy')\n"
        "print([name for name in heavy if name in sys.modules])\n"
    )
    answer = subprocess.run([python, "-c", code], capture_output=True, text=True, timeout=60)
    assert answer.stdout == "[]\n", answer.stderr


def test_what_a_form_needs_of_parameters_is_json_and_whole(component):
    content = json.loads(json.dumps(component_to_json(component), allow_nan=False))
    described = describe(component.params)
    assert [one["name"] for one in content["parameters"]] == [one.name for one in described]
    for one in (*content["parameters"], *content["run_settings"]):
        for side, sign in (("minimum", ">"), ("maximum", "<")):
            bound = one[side]
            equal = "" if side in one["exclusive"] else "="
            assert (bound is not None) == (sign in one["range_text"]), one
            assert bound is None or f"{sign}{equal} {bound:,}" in one["range_text"], one
        assert set(one["exclusive"]) <= {"minimum", "maximum"}
        assert bool(one["choices"]) == (one["kind"] == "choice")


@pytest.mark.parametrize("side", ["minimum", "maximum"])
def test_a_bound_is_where_values_end(component, side):
    """Just inside of a bound a value is taken, just outside it is refused."""
    step = {"minimum": -1, "maximum": 1}[side]
    for one in describe(component.params):
        bound = getattr(one, side)
        if bound is None:
            continue
        if side not in one.exclusive:
            component.params.parse({one.name: type(one.default or bound)(bound)})
        outside = bound if side in one.exclusive else bound + step
        with pytest.raises(ParameterError, match=f"{one.name} is"):
            component.params.parse({one.name: outside})


def test_a_long_form_has_sections_and_no_form_has_them_for_a_part(component):
    sections = [one.section for one in describe(component.params)]
    assert all(sections) or not any(sections)
    assert all(sections) or len(sections) <= 8


def test_a_parameter_is_shown_by_another_one_of_its_section_and_a_value_it_can_have(component):
    described = {one.name: one for one in describe(component.params)}
    for one in described.values():
        if one.shown_when is None:
            continue
        other = described[one.shown_when.parameter]
        possible = {True, False} if other.kind == "bool" else set(other.choices)
        assert other.section == one.section
        assert set(one.shown_when.values) < possible
