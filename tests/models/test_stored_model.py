"""Damage and hostility, section E of the bad inputs, on a real model directory (S04, S06, S07)."""

import json
import os
import shutil
import subprocess
import sys
import time

import pytest
import safetensors.torch
import torch

from imageloom.errors import FailedToWriteOutputsError, InvalidModelDirectoryError
from imageloom.events import ignore_events
from imageloom.models import stored_model
from imageloom.models.model_directory import create_model, load_trained, save_trained
from imageloom.models.safetensors_file import safetensors_bytes
from imageloom.models.stored_model import model_digest, read_kind, read_model

from .made_models import make_trained

FILES = ("MANIFEST.json", "README.md", "model.json", "weights.safetensors")


def read_state(path):
    return safetensors.torch.load_file(path / "weights.safetensors")


def test_a_model_directory_holds_these_files_and_no_other(trained_path):
    assert sorted(file.name for file in trained_path.iterdir()) == sorted(FILES)


def test_e01_what_is_no_model_directory_is_refused(tmp_path):
    for path in (tmp_path, tmp_path / "nothing"):
        with pytest.raises(InvalidModelDirectoryError, match="is no model directory"):
            load_trained(path)


@pytest.mark.parametrize("name", FILES[2:])
def test_e04_naive_reading_accepts_a_flipped_bit_and_ours_does_not(copy, name):
    file = copy / name
    content = bytearray(file.read_bytes())
    content[-20] ^= 1
    file.write_bytes(content)
    if name == "weights.safetensors":
        safetensors.torch.load_file(file)  # raises nothing: one weight is just another
    with pytest.raises(InvalidModelDirectoryError, match=name):
        load_trained(copy)


def flip_a_bit(file):
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 4
    file.write_bytes(content)


def cut_a_byte(file):
    file.write_bytes(file.read_bytes()[:-1])


def cut_in_half(file):
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def empty(file):
    file.write_bytes(b"")


def append_a_byte(file):
    file.write_bytes(file.read_bytes() + b"\n")


def delete(file):
    file.unlink()


def replace_by_link(file):
    target = file.with_name("elsewhere")
    file.rename(target)
    file.symlink_to(target)


def link_from_elsewhere(file):
    file.with_name("other name").hardlink_to(file)


def replace_by_pipe(file):
    file.unlink()
    os.mkfifo(file)


def replace_by_folder(file):
    file.unlink()
    file.mkdir()


DAMAGES = (
    flip_a_bit, cut_a_byte, cut_in_half, empty, append_a_byte, delete, replace_by_link,
    link_from_elsewhere, replace_by_pipe, replace_by_folder,
)  # fmt: skip


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("damage", DAMAGES)
def test_e04_s06_s07_every_damage_to_every_file_is_refused_naming_it(copy, name, damage):
    damage(copy / name)
    # A manifest that lost its way may blame the file it now describes wrongly.
    blamed = r"model|README|weights|MANIFEST" if name == "MANIFEST.json" else name
    with pytest.raises(InvalidModelDirectoryError, match=blamed) as caught:
        load_trained(copy)
    assert caught.value.hint


def test_s06_a_hard_link_is_refused_with_its_number_of_names_and_a_copy_is_read(copy, tmp_path):
    (tmp_path / "another name").hardlink_to(copy / "weights.safetensors")
    message = r"weights\.safetensors is a hard link: the file has 2 names"
    with pytest.raises(InvalidModelDirectoryError, match=message) as caught:
        load_trained(copy)
    *command, there = caught.value.hint.removeprefix(
        "Give a copy, whose files are its own: "
    ).split()
    subprocess.run([*command, str(tmp_path / there)], check=True)
    assert load_trained(tmp_path / there).digest


def test_s06_a_file_that_is_linked_while_it_is_read_is_refused(copy, tmp_path, monkeypatch):
    original = stored_model.read_safetensors

    def link_then_read(file, error):
        (tmp_path / "another name").hardlink_to(file)
        monkeypatch.setattr(stored_model, "read_safetensors", original)
        return original(file, error)

    monkeypatch.setattr(stored_model, "read_safetensors", link_then_read)
    with pytest.raises(InvalidModelDirectoryError, match="is a hard link"):
        load_trained(copy)


def test_s06_what_is_published_has_no_second_name(trained_path):
    assert {file.stat().st_nlink for file in trained_path.iterdir()} == {1}


@pytest.mark.parametrize("one", FILES)
@pytest.mark.parametrize("other", FILES)
def test_s07_two_files_that_change_places_are_refused(copy, one, other):
    if one >= other:
        return
    (copy / one).rename(copy / "aside")
    (copy / other).rename(copy / one)
    (copy / "aside").rename(copy / other)
    with pytest.raises(InvalidModelDirectoryError, match=r"\.json|\.md|\.safetensors"):
        load_trained(copy)


def test_s07_files_of_two_models_do_not_mix(copy, tmp_path):
    save_trained(tmp_path / "other", make_trained(seed=2))
    shutil.copy(tmp_path / "other" / "weights.safetensors", copy)
    with pytest.raises(InvalidModelDirectoryError, match=r"weights\.safetensors is not what was"):
        load_trained(copy)


def test_e02_a_record_that_is_not_json_is_refused(remade):
    for text, message in (
        ("", "not valid JSON"),
        ("{'a': 1}", "not valid JSON"),
        ("[1]", "no JSON object"),
        ('{"a": NaN}', "NaN is not a JSON number"),
        ('{"a": 1, "a": 2}', "a key stands twice"),
        ("[" * 100_000, "not valid JSON"),
        ('{"a": "\udcff"}', "not valid JSON"),
    ):
        content = text.encode("utf-8", "surrogateescape")
        path = remade(
            lambda partial, content=content: (partial / "model.json").write_bytes(content)
        )
        with pytest.raises(InvalidModelDirectoryError, match=message):
            load_trained(path)
        shutil.rmtree(path)


def test_e02_a_record_of_a_hundred_megabytes_is_refused_unread(copy):
    with (copy / "model.json").open("r+b") as file:
        file.truncate(100_000_000)
    with pytest.raises(InvalidModelDirectoryError, match="100,000,000 bytes; at most 10,485,760"):
        load_trained(copy)


def test_e03_a_newer_format_is_refused_and_left_untouched(remade_record):
    path = remade_record(lambda record: record.update(format_version=3, made_by="imageloom 7.0"))
    before = {file.name: file.read_bytes() for file in path.iterdir()}
    with pytest.raises(InvalidModelDirectoryError, match="format version 3, made by 'imageloom 7"):
        load_trained(path)
    assert {file.name: file.read_bytes() for file in path.iterdir()} == before


@pytest.mark.parametrize("kind", ["trained_model", "untrained_model"])
def test_e04_weights_that_were_never_published_are_missed(remade, kind, tmp_path):
    if kind == "trained_model":
        path = remade(lambda partial: (partial / "weights.safetensors").unlink())
        with pytest.raises(InvalidModelDirectoryError, match=r"lacks weights\.safetensors"):
            load_trained(path)
        return
    path = tmp_path / "untrained"
    create_model("timm/test_resnet", path)
    assert not (path / "weights.safetensors").exists()
    assert read_model(path, kind, ignore_events).state is None


def test_e05_e06_other_formats_in_the_manifest_are_refused(remade):
    for name in ("weights.pt", "model.pkl", "model.onnx", "score.py", "conda.yaml"):
        path = remade(lambda partial, name=name: (partial / name).write_text("x"))
        with pytest.raises(InvalidModelDirectoryError, match=f"MANIFEST.json names '{name}'"):
            load_trained(path)
        shutil.rmtree(path)


def test_e07_code_beside_the_model_is_listed_and_not_run(copy, tmp_path):
    canary = tmp_path / "canary"
    for name in ("__init__.py", "score.py", "conda.yaml", "sitecustomize.py", "model.py"):
        (copy / name).write_text(f"open({str(canary)!r}, 'w')")
    events = []
    load_trained(copy, on_event=events.append)
    assert not canary.exists()
    told = "also holds '__init__.py', 'conda.yaml', 'model.py' and 2 more, which nothing reads"
    assert told in events[0].message


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"num_classes": 10**9}, "num_classes"),
        ({"num_classes": 4, "classes": ["a", "b", "c", "d"]}, r"fc\.weight is \[3.* must be \[4"),
        ({"classes": ["a", "b"]}, "says num_classes 3, but the class list gives 2"),
    ],
)
def test_e09_a_number_of_classes_that_does_not_fit_is_refused(remade_record, change, message):
    path = remade_record(lambda record: record.update(change))
    with pytest.raises(InvalidModelDirectoryError, match=message):
        load_trained(path)


def test_e09_many_classes_without_the_weights_for_them_take_no_memory(remade_record):
    many = {"num_classes": 200_000, "classes": [f"c{number}" for number in range(200_000)]}
    path = remade_record(lambda record: record.update(many))
    with pytest.raises(InvalidModelDirectoryError, match=r"fc\.weight is .* \[200000"):
        load_trained(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.pop("fc.bias"), r"lacks fc\.bias"),
        (lambda s: s.update(extra=torch.ones(1)), "has unexpected extra"),
        (lambda s: s.update({"fc.bias": torch.ones(3, dtype=torch.float64)}), "float64 not"),
        (lambda s: s.update({"fc.bias": torch.full((3,), torch.nan)}), r"not finite in fc\.bias"),
        (
            lambda s: [s.update({f"module.{k}": s.pop(k)}) for k in list(s)],
            r"has unexpected module\.",
        ),
    ],
)
def test_e10_weights_that_do_not_fit_are_refused_naming_the_tensors(remade, change, message):
    def edit(partial):
        state = read_state(partial)
        change(state)
        (partial / "weights.safetensors").write_bytes(safetensors_bytes(state))

    with pytest.raises(InvalidModelDirectoryError, match=message):
        load_trained(remade(edit))


def test_e12_a_hostile_header_with_a_fitting_hash_is_refused(remade):
    def edit(partial):
        file = partial / "weights.safetensors"
        file.write_bytes(file.read_bytes() + b"\0")

    with pytest.raises(InvalidModelDirectoryError, match="no valid safetensors file"):
        load_trained(remade(edit))


def test_e15_kinds_that_are_mixed_up_get_a_hint(trained_path, tmp_path):
    create_model("timm/test_resnet", tmp_path / "untrained")
    message = "is an untrained model, but a trained one is needed"
    with pytest.raises(InvalidModelDirectoryError, match=message) as caught:
        read_model(tmp_path / "untrained", "trained_model", ignore_events)
    assert "Train it first" in caught.value.hint
    message = "is a trained model, but an untrained one is needed"
    with pytest.raises(InvalidModelDirectoryError, match=message) as caught:
        read_model(trained_path, "untrained_model", ignore_events)
    assert "imageloom train --model" in caught.value.hint
    assert read_kind(trained_path) == "trained_model"
    assert read_kind(tmp_path / "untrained") == "untrained_model"


def test_e19_a_half_published_model_is_refused_as_not_complete(copy):
    (copy / "MANIFEST.json").unlink()
    with pytest.raises(InvalidModelDirectoryError, match="not complete: it lacks MANIFEST"):
        load_trained(copy)


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may read everything")
def test_e19_files_that_may_not_be_read_are_refused(copy):
    (copy / "weights.safetensors").chmod(0)
    with pytest.raises(InvalidModelDirectoryError, match="could not be read: Permission denied"):
        load_trained(copy)


def test_e19_a_read_only_directory_is_read(copy):
    for file in copy.iterdir():
        file.chmod(0o400)
    copy.chmod(0o500)
    try:
        assert load_trained(copy).digest
    finally:
        copy.chmod(0o700)


def test_e19_a_failed_write_leaves_the_old_model_and_nothing_else(trained_path, tmp_path):
    path = shutil.copytree(trained_path, tmp_path / "model")
    before = load_trained(path).digest
    with pytest.raises(FailedToWriteOutputsError, match="exists already"):
        save_trained(path, make_trained(seed=2))
    assert load_trained(path).digest == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["model"]


@pytest.fixture
def written_while_read(tmp_path, monkeypatch):
    """Return a function that reads a model which another process replaces so many times."""
    models = [make_trained(classes=names, seed=n) for n, names in enumerate(("ab", "cd"))]

    def read(times, step):
        path = tmp_path / "model"
        left = [models[n % 2] for n in range(times)]
        original = getattr(stored_model, step)

        def replace_first(*args):
            if left:
                save_trained(path, left.pop(), replace=True)
            return original(*args)

        save_trained(path, models[1], replace=True)
        monkeypatch.setattr(stored_model, step, replace_first)
        return load_trained(path)

    return read


@pytest.mark.parametrize(
    "step", ["read_json", "sha256_of_file", "verify_directory", "read_safetensors", "check_state"]
)
def test_e19_a_reader_sees_the_old_or_the_new_model_never_a_mix(written_while_read, step):
    model = written_while_read(1, step)
    assert model.classes == ("a", "b")
    expected = make_trained(classes="ab", seed=0).network.state_dict()
    found = model.network.state_dict()
    assert all(torch.equal(found[name], expected[name]) for name in expected)


def test_e19_a_model_that_changes_all_the_time_is_said_to(written_while_read):
    with pytest.raises(InvalidModelDirectoryError, match="changes all the time") as caught:
        written_while_read(10, "verify_directory")
    assert caught.value.reason == "being-written"


def test_e22_twenty_gigabytes_of_weights_are_refused_at_once(remade, copy):
    with (copy / "weights.safetensors").open("r+b") as file:
        file.truncate(20 * 10**9)  # sparse
    started = time.process_time()
    with pytest.raises(InvalidModelDirectoryError, match="20,000,000,000 bytes, but this network"):
        load_trained(copy)
    assert time.process_time() - started < 2


@pytest.mark.slow
def test_e22_a_hundred_thousand_other_files_cost_nothing(copy):
    for number in range(100_000):
        os.close(os.open(copy / f"{number}.junk", os.O_CREAT))
    started = time.process_time()
    load_trained(copy)
    assert time.process_time() - started < 2


def test_the_digest_is_of_record_and_weights_and_known_before_writing(trained_path, copy):
    content = json.loads((trained_path / "model.json").read_text("utf-8"))
    assert model_digest(content, read_state(trained_path)) == load_trained(trained_path).digest
    assert load_trained(copy).digest == load_trained(trained_path).digest


NO_CODE = """
import sys
from pathlib import Path
from imageloom.errors import InvalidModelDirectoryError
from imageloom.models.model_directory import load_trained

good, *hostile = map(Path, sys.argv[1:])
load_trained(good)  # whatever torch imports late is imported now
roots = tuple(str(path) for path in (good, *hostile))

def forbid(event, arguments):
    if event in ("exec", "compile", "import", "marshal.loads", "ctypes.dlopen"):
        raise SystemExit(f"{event} {arguments}")
    if event.startswith(("subprocess", "socket", "os.system", "os.exec", "os.posix_spawn")):
        raise SystemExit(f"{event} {arguments}")
    if event == "open" and not str(arguments[0]).startswith(roots):
        raise SystemExit(f"{event} {arguments}")

sys.addaudithook(forbid)
for path in (good, *hostile):
    try:
        load_trained(path)
    except InvalidModelDirectoryError as error:
        assert path != good, error
"""


@pytest.mark.slow
def test_s04_loading_runs_and_imports_nothing_and_opens_only_the_directory(trained_path, tmp_path):
    hostile = []
    for number, (name, content) in enumerate(
        [
            ("score.py", b"import os"),
            ("weights.pt", b"\x80\x04."),
            ("model.json", b'{"format_version": 1, "kind": "trained_model", "module": "os"}'),
            ("MANIFEST.json", b'{"files": {"../../etc/passwd": {"size_bytes": 1}}}'),
            ("weights.safetensors", b"\0" * 100),
        ]
    ):
        path = shutil.copytree(trained_path, tmp_path / str(number))
        (path / name).write_bytes(content)
        hostile.append(str(path))
    done = subprocess.run(
        [sys.executable, "-c", NO_CODE, str(trained_path), *hostile],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
