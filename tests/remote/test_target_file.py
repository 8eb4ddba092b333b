"""A person's targets: what the file may hold, and what is said of a file that cannot be used."""

import pytest

from imageloom.app import Engine
from imageloom.errors import (
    CouldNotOpenFileError,
    ImageloomError,
    LessThanOrEqualToError,
    ParameterParsingError,
    UnknownNameError,
)
from imageloom.pipeline.graph.graph import Node, Pipeline
from imageloom.remote.target_file import load_targets
from imageloom.settings import Settings


@pytest.fixture
def read(tmp_path):
    """Return a function that reads targets from the text of a file."""

    def read(text):
        file = tmp_path / "targets.toml"
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return load_targets(settings(tmp_path, file))

    return read


def settings(tmp_path, file, *, must_have_targets=True):
    return Settings(
        home=tmp_path,
        workspace=tmp_path / "workspace",
        targets=file,
        must_have_targets=must_have_targets,
    )


def test_without_a_file_there_is_what_is_built_in(tmp_path):
    nowhere = settings(tmp_path, tmp_path / "none.toml", must_have_targets=False)
    assert {"local", "machines"} <= set(load_targets(nowhere).names())


def test_a_table_makes_a_target_with_its_limits(read):
    text = '[two]\nkind = "machines"\nmax_nodes = 2\nprocessing_units_per_node = 8\n'
    limits = read(text).get("two").limits
    assert (limits.nodes, limits.processing_units_per_node) == (2, 8)


def test_a_table_may_say_how_a_built_in_target_is_but_not_what_this_machine_is(read):
    assert read('[machines]\nkind = "machines"\nmax_nodes = 3\n').get("machines").limits.nodes == 3
    with pytest.raises(ParameterParsingError, match=r"'local': this name cannot be given"):
        read('[local]\nkind = "machines"\n')


@pytest.mark.parametrize(
    ("text", "error", "message", "hint"),
    [
        ("[lab]", ParameterParsingError, "target 'lab': it has no kind", "machines"),
        ("[lab]\nkind = 3", ParameterParsingError, "kind is 3, but must be text", "machines"),
        ("[lab]\nkind='machine'", UnknownNameError, "called 'machine'", "Did you mean machines"),
        (
            "[lab]\nkind='machines'\nmax_node = 3",
            UnknownNameError,
            "target 'lab': There is no parameter called 'max_node'",
            "Did you mean max_nodes",
        ),
        (
            "[lab]\nkind='machines'\nmax_nodes = 'many'",
            ParameterParsingError,
            'max_nodes is "many", but must be a whole number',
            "default is 64",
        ),
        (
            "[lab]\nkind='machines'\nmax_nodes = 100001",
            LessThanOrEqualToError,
            "max_nodes is 100001, but must be at most 100,000",
            "Most machines",
        ),
        ("lab = 3", ParameterParsingError, "lab stands outside of a table", r"\[lab\]"),
        ("['a b']\nkind='machines'", ParameterParsingError, "'a b': this name", "Use letters"),
        ("[lab\n", ParameterParsingError, "is not a TOML file", "targets.md"),
        (b"\xff", ParameterParsingError, "is not a TOML file", "targets.md"),
    ],
)
def test_what_cannot_be_used_is_named_with_file_and_table(
    read, tmp_path, text, error, message, hint
):
    with pytest.raises(error, match=message) as caught:
        read(text)
    assert str(tmp_path / "targets.toml") in caught.value.message
    with pytest.raises(ImageloomError, match=hint):
        raise caught.value


def test_a_named_file_must_be_there(tmp_path):
    with pytest.raises(CouldNotOpenFileError, match=r"IMAGELOOM_TARGETS names .*none\.toml"):
        load_targets(settings(tmp_path, tmp_path / "none.toml"))
    with pytest.raises(CouldNotOpenFileError, match="could not be read: Is a directory"):
        load_targets(settings(tmp_path, tmp_path))


def test_limits_of_a_persons_target_hold_for_pipelines(tmp_path):
    file = tmp_path / "targets.toml"
    file.write_text(
        '[lab]\nkind="machines"\nmax_nodes=2\nprocessing_units_per_node=4\n', encoding="utf-8"
    )
    engine = Engine(settings(tmp_path, file))
    node = Node(
        "train",
        "train_pytorch_model",
        settings={"target": "lab", "node_count": 3, "processes_per_node": 8},
    )
    problems = {problem.kind.name: problem for problem in engine.check(Pipeline("one", (node,)))}
    nodes, processes = problems["TOO_MANY_NODES"], problems["TOO_MANY_PROCESSES"]
    assert "a node count of 3, but target 'lab' has 2 nodes" in nodes.message
    assert nodes.hint == "Use at most 2."
    assert "8 processes per node, but a node of target 'lab' has 4" in processes.message
    assert processes.hint == "Use at most 4."
    assert "target 'lab' names no network interface" in problems["NO_INTERFACE"].message
    assert "Set 'interface' of the target to one of these: lo" in problems["NO_INTERFACE"].hint
