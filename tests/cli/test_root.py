"""The list of commands is instant, complete, and tells usage errors from known errors."""

import subprocess
import sys
import time
from pathlib import Path

import click
import pytest

from imageloom import __version__
from imageloom.cli.flags import SectionedCommand
from imageloom.cli.meant import OPTIONS_ELSEWHERE
from imageloom.cli.reference.pages import commands
from imageloom.cli.root import Entry, LazyGroup, root, run

SCRIPT = Path(sys.executable).with_name("imageloom")


def seconds_of(*words: str) -> float:
    began = time.monotonic()
    subprocess.run([str(SCRIPT), *words], capture_output=True, check=True)
    return time.monotonic() - began


def test_help_answers_in_under_three_tenths_of_a_second():
    assert min(seconds_of("--help") for _ in range(5)) < 0.3


def test_python_m_imageloom_is_the_same_command():
    script = subprocess.run([str(SCRIPT), "--help"], capture_output=True, text=True, check=True)
    module = subprocess.run(
        [sys.executable, "-m", "imageloom", "--help"], capture_output=True, text=True, check=True
    )
    assert module.stdout == script.stdout


def test_the_version_names_torch_too(capsys):
    assert run(["--version"]) == 0
    out = capsys.readouterr().out
    assert out.startswith(f"imageloom {__version__} (Python ")
    assert "torch " in out


def test_every_command_of_the_issue_is_there():
    assert [name for name, _ in commands()] == [
        "demo",
        "doctor",
        "data convert",
        "data split",
        "data check",
        "data label-errors",
        "data duplicates",
        "data correct",
        "data export",
        "model create",
        "train",
        "logs",
        "track",
        "score",
        "evaluate",
        "predict",
        "export",
        "serve",
        "explain",
        "studio",
        "users add",
        "users list",
        "users role",
        "users password",
        "users remove",
        "users activity",
        "components",
        "pipeline check",
        "pipeline show",
        "run",
        "tune",
        "runs list",
        "runs show",
        "runs logs",
        "runs series",
        "runs cancel",
        "runs compare",
        "runs delete",
        "targets list",
        "targets check",
        "store upload",
        "store size",
        "store clean",
        "store rebuild",
        "agent join",
        "agent work",
    ]


@pytest.mark.parametrize(("name", "command"), list(commands()), ids=lambda x: str(x)[:20])
def test_every_command_has_help_examples_and_the_shared_options(name, command, capsys):
    assert run([*name.split(), "--help"]) == 0
    text = capsys.readouterr().out
    assert f"Usage: imageloom {name}" in text
    for expected in ("--json", "--debug", "--help", "Examples:", *command.examples):
        assert expected in text


@pytest.mark.parametrize(("name", "command"), list(commands()), ids=lambda x: str(x)[:20])
def test_examples_are_command_lines_that_parse(name, command):
    import shlex

    for example in command.examples:
        words = shlex.split(example)
        prefix = ["imageloom", *name.split()]
        assert words[: len(prefix)] == prefix
        command.make_context(name, words[len(prefix) :])


def summaries(group: LazyGroup) -> list[tuple[str, str, click.Command]]:
    found = []
    for name, entry in group.entries.items():
        if isinstance(entry, LazyGroup):
            found += summaries(entry)
        elif isinstance(entry, Entry):
            command = group.get_command(click.Context(group), name)
            assert isinstance(command, SectionedCommand)
            found.append((name, entry.summary, command))
    return found


@pytest.mark.parametrize(("name", "summary", "command"), summaries(root))
def test_the_line_in_the_list_is_the_first_line_of_the_help(name, summary, command):
    assert (command.help or "").splitlines()[0] == summary


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["trian"], "No such command 'trian'"),
        (["train", "--epoch", "3"], "No such option"),
        (["data"], "Usage: imageloom data"),
        (["data", "convert"], "Missing argument 'SOURCE'"),
        (["data", "convert", "x"], "Missing option '--out'"),
        (["score", "--model"], "requires an argument"),
        (["predict", "--model", "run"], "Missing argument 'IMAGE"),
        (["data", "convert", "", "--out", "x"], "The path is empty"),
        (["train"], "Missing options --model, --train, --validation, --out"),
        (["train", "--model", "m", "--train", "t", "--out", "o"], "Missing option --validation"),
        (["train", "--resume", "run", "--epochs", "9"], "cannot be joined with --epochs"),
        (["train", "--resume", "r", "--train", "t", "--stem", "small"], "--stem, --train"),
    ],
)
def test_a_command_line_that_cannot_be_understood_is_exit_2(words, message, capsys):
    assert run(words) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert "Traceback" not in captured.err


def test_a_misspelt_flag_is_answered_with_the_right_one(capsys):
    assert run(["train", "--epoch", "3"]) == 2
    assert "--epochs" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["train", "--lr", "0.1"], "No such option '--lr'. Here it is --learning-rate."),
        (["train", "-b", "8"], "No such option '-b'. Here it is --batch-size."),
        (["train", "--log_interval", "8"], "Here it is --print-frequency."),
        (["export", "run", "--format", "onnx"], "Here it is --to."),
        (["convert", "photos"], "Did you mean 'imageloom data convert'?"),
        (["trian"], "Did you mean 'imageloom train' or"),
        (["train", "resnet18"], "argument (resnet18). For example: imageloom train --model"),
    ],
)
def test_words_of_other_programs_are_answered_with_ours(words, told, capsys):
    assert run(words) == 2
    assert told in capsys.readouterr().err


def test_words_of_other_programs_stand_for_options_that_exist():
    flags = {one for _, command in commands() for param in command.params for one in param.opts}
    assert {flag for flag in OPTIONS_ELSEWHERE if flag not in flags} == set()
    words = [word for words in OPTIONS_ELSEWHERE.values() for word in words.split()]
    assert len(words) == len(set(words))


def test_missing_validation_pictures_name_the_command_that_makes_them(capsys, tmp_path):
    words = ["--model", "resnet18", "--train", str(tmp_path / "my photos"), "--out", "run"]
    assert run(["train", *words]) == 2
    expected = f"imageloom data split '{tmp_path}/my photos' --first train --second validation"
    assert expected in capsys.readouterr().err.replace("\n", " ")


def test_f01_a_value_that_cannot_be_used_is_a_known_error_and_exit_1(capsys, tmp_path):
    words = ["--model", "resnet18", "--train", "t", "--validation", "v", "--out", str(tmp_path)]
    assert run(["train", *words, "--epochs", "0"]) == 1
    assert capsys.readouterr().err.startswith(
        "GreaterThanError (0004)\n  epochs is 0, but must be greater than 0.\n"
    )


def test_a_command_that_cannot_be_loaded_says_so(capsys, monkeypatch):
    monkeypatch.setitem(root.entries, "train", Entry("imageloom.not_there", "x"))
    assert run(["train"]) == 1
    assert capsys.readouterr().err.startswith("EnvironmentUnsuitableError (ENV-001)")


TORCHRUN = {"WORLD_SIZE": "4", "LOCAL_WORLD_SIZE": "2"}


@pytest.mark.parametrize(
    "words",
    [["train", "--no-such-option"], ["model", "create", "--nothing"], ["trian"], ["data", "split"]],
)
@pytest.mark.parametrize(
    ("variables", "is_told"),
    [
        (TORCHRUN | {"RANK": "0", "LOCAL_RANK": "0"}, True),
        (TORCHRUN | {"RANK": "1", "LOCAL_RANK": "1"}, False),
        (TORCHRUN | {"RANK": "2", "LOCAL_RANK": "0"}, True),  # of another machine
        (TORCHRUN | {"RANK": "3", "LOCAL_RANK": "1"}, False),
        ({"PMI_SIZE": "2", "PMI_RANK": "0"}, True),
        ({"PMI_SIZE": "2", "PMI_RANK": "1"}, False),
        ({"RANK": "7", "WORLD_SIZE": "x"}, True),
    ],
)
def test_usage_errors_of_several_ranks_are_told_once_on_each_machine(
    monkeypatch, capsys, words, variables, is_told
):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert run(words) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert bool(said.err) == is_told
