"""Drawn pipelines and their versions (J03, J14, J20)."""

import threading

import pytest

from imageloom.errors import (
    InvalidPipelineError,
    NoSuchPipelineError,
    PipelineChangedError,
    StoreCorruptError,
)
from imageloom.pipeline import drafts as module
from imageloom.pipeline.drafts import Drafts
from imageloom.pipeline.workspace import Workspace


@pytest.fixture
def drafts(tmp_path):
    return Drafts(Workspace(tmp_path))


def drawing(*names, **extra):
    nodes = [{"id": name, "component": "toy"} for name in names]
    return {"format_version": 2, "kind": "pipeline", "name": "Ants", "nodes": nodes, **extra}


def test_every_save_is_a_version_that_stays(drafts):
    first = drafts.create(drawing("a"), saved_by="ada")
    second = drafts.save(first.id, drawing("a", "b"), base=1, saved_by="ada", commands=["Add b"])
    assert (first.version, second.version) == (1, 2)
    assert drafts.versions(first.id) == (2, 1)
    assert drafts.read(first.id) == second
    assert drafts.read(first.id, 1) == first
    assert second.commands == ("Add b",)


def test_a_save_on_an_older_version_changes_nothing_and_names_whose_came_first(drafts):
    draft = drafts.create(drawing("a"), saved_by="ada")
    theirs = drafts.save(draft.id, drawing("theirs"), base=1, saved_by="grace")
    with pytest.raises(PipelineChangedError, match=r"^grace saved version 2 .* version 1") as info:
        drafts.save(draft.id, drawing("mine"), base=1, saved_by="ada")
    assert info.value.details == {"base": 1, "newest": 2}
    assert drafts.read(draft.id) == theirs


def test_a_save_that_is_sent_twice_counts_once(drafts):
    draft = drafts.create(drawing("a"), saved_by="ada")
    once = drafts.save(draft.id, drawing("b"), base=1, saved_by="ada")
    assert drafts.save(draft.id, drawing("b"), base=1, saved_by="ada") == once
    assert drafts.versions(draft.id) == (2, 1)


def test_of_saves_at_one_moment_one_wins_and_the_others_are_told(drafts):
    draft = drafts.create(drawing("start"), saved_by="ada")
    told, won = [], []
    together = threading.Barrier(8)

    def save(number):
        together.wait()
        try:
            won.append(drafts.save(draft.id, drawing(f"n{number}"), base=1, saved_by=f"p{number}"))
        except PipelineChangedError as problem:
            told.append(problem)

    threads = [threading.Thread(target=save, args=(number,)) for number in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert (len(won), len(told)) == (1, 7)
    assert drafts.read(draft.id) == won[0]


def test_what_is_unknown_in_a_pipeline_survives(drafts):
    content = drawing("a", later={"x": 1})
    content["nodes"][0]["shape"] = "round"
    content["nodes"].append({"id": "b", "component": "of_an_extension", "params": {"odd": [1]}})
    draft = drafts.create(content, saved_by="ada")
    read = drafts.read(draft.id).pipeline
    assert read["later"] == {"x": 1}
    assert read["nodes"] == content["nodes"]


@pytest.mark.parametrize("name", ["../runs", "", "20260101-000000-zzzz", "a/b", "nul\0l"])
def test_no_id_names_another_place(drafts, name):
    with pytest.raises(NoSuchPipelineError, match="There is no drawn pipeline"):
        drafts.read(name)
    with pytest.raises(NoSuchPipelineError, match="There is no drawn pipeline"):
        drafts.ownership(name)


def test_a_version_that_is_not_there_is_named(drafts):
    draft = drafts.create(drawing("a"), saved_by="ada")
    with pytest.raises(NoSuchPipelineError, match="no version 7"):
        drafts.read(draft.id, 7)


def test_what_is_no_pipeline_is_refused_before_anything_is_written(drafts):
    with pytest.raises(InvalidPipelineError, match="kind"):
        drafts.create({"format_version": 2, "nodes": []}, saved_by="ada")
    assert drafts.ids() == ()


def test_a_deleted_pipeline_is_gone_from_the_list_and_cannot_be_saved(drafts):
    kept = drafts.create(drawing("a"), saved_by="ada")
    gone = drafts.create(drawing("b"), saved_by="ada")
    drafts.workspace.throw_away(drafts.folder(gone.id))
    assert [one.id for one in drafts.newest()] == [kept.id]
    with pytest.raises(NoSuchPipelineError, match="There is no drawn pipeline"):
        drafts.save(gone.id, drawing("c"), base=1, saved_by="ada")


def test_a_damaged_version_is_named(drafts):
    draft = drafts.create(drawing("a"), saved_by="ada")
    file = drafts.workspace.pipelines / draft.id / "000001.json"
    file.write_text('{"id": 1}')
    with pytest.raises(StoreCorruptError, match=r"000001\.json is damaged"):
        drafts.read(draft.id)


@pytest.fixture
def two_damaged(drafts):
    """Two pipelines: of one the newest of two versions is damaged, of the other the only one."""
    one, other = (drafts.create(drawing(name), saved_by="ada") for name in ("One", "Other"))
    drafts.save(one.id, drawing("Later"), base=1, saved_by="ada")
    for draft_id, version in ((one.id, 2), (other.id, 1)):
        (drafts.folder(draft_id) / f"{version:06}.json").write_text('{"id": ')
    return one, other


def test_j03_a_damaged_version_hides_no_other_pipeline_and_no_version_before_it(
    drafts, two_damaged, caplog
):
    one, other = two_damaged
    whole = drafts.create(drawing("Whole"), saved_by="ada")
    assert {found.id: found.version for found in drafts.newest()} == {whole.id: 1, one.id: 1}
    assert [found.version for found in drafts.whole_versions(one.id)] == [1]
    assert list(drafts.whole_versions(other.id)) == []
    assert f"{other.id}/000001.json is not valid JSON" in caplog.text
    assert drafts.ownership(other.id).is_shared


def written_by_a_newer_one(drafts, *, changes=(), **content):
    """Draw something, and let a newer Imageloom have written the file."""
    made = drafts.create(drawing("One", **content), saved_by="ada")
    file = drafts.folder(made.id) / "000001.json"
    text = file.read_text()
    for before, after in changes:
        assert before in text
        text = text.replace(before, after, 1)
    file.write_text(text)
    return made.id, file


NEWER = {
    "the file": [('"format_version": 1', '"format_version": 7')],
    "what is drawn": [('"format_version": 2', '"format_version": 3')],
    "a key more": [('"format_version": 1', '"format_version": 7, "lanes": [1]')],
}


@pytest.mark.parametrize("changes", NEWER.values(), ids=NEWER)
def test_j14_j20_a_version_of_a_newer_imageloom_is_looked_at_and_nothing_is_saved_on_it(
    drafts, changes
):
    draft_id, file = written_by_a_newer_one(drafts, changes=changes)
    before = file.read_bytes()
    seen = drafts.read(draft_id)
    assert (seen.is_newer, seen.pipeline["nodes"]) == (True, drawing("One")["nodes"])
    with pytest.raises(StoreCorruptError, match=r"000001\.json was written by a newer") as why:
        drafts.save(draft_id, drawing("Two"), base=1, saved_by="ada")
    assert why.value.reason == "newer"
    assert list(drafts.newest()) == [seen]
    assert (file.read_bytes(), drafts.versions(draft_id)) == (before, (1,))


def test_j20_a_newer_form_that_nobody_here_can_look_at_is_named_as_newer(drafts):
    changes = [*NEWER["the file"], ('"pipeline": {', '"graph": {')]
    draft_id, file = written_by_a_newer_one(drafts, changes=changes)
    before = file.read_bytes()
    with pytest.raises(
        StoreCorruptError, match=r"newer Imageloom: this one reads .* 1 .* 2"
    ) as why:
        drafts.read(draft_id)
    assert why.value.reason == "newer"
    assert (list(drafts.newest()), file.read_bytes()) == ([], before)


def test_what_is_kept_is_not_told_to_be_newer_in_its_file(drafts):
    made = drafts.create(drawing("One"), saved_by="ada")
    assert "is_newer" not in (drafts.folder(made.id) / "000001.json").read_text()
    assert not made.is_newer


def test_the_folder_is_listed_once_for_all_versions(drafts, monkeypatch):
    made = drafts.create(drawing("v1"), saved_by="ada")
    for version in range(1, 6):
        drafts.save(made.id, drawing(f"v{version}x"), base=version, saved_by="ada")
    asked = []
    versions = Drafts.versions
    monkeypatch.setattr(
        Drafts, "versions", lambda self, one: asked.append(one) or versions(self, one)
    )
    assert [one.version for one in drafts.whole_versions(made.id)] == [6, 5, 4, 3, 2, 1]
    assert asked == [made.id]


def test_old_autosaves_go_but_for_named_ones_and_the_last_of_each_day(drafts, monkeypatch):
    monkeypatch.setattr(module, "_KEPT_VERSIONS", 2)
    days = [1, 1, 1, 2, 2, 3, 3, 3]
    now = iter([day * 86_400.0 + number for number, day in enumerate(days)])
    monkeypatch.setattr(module.time, "time", lambda: next(now))
    draft = drafts.create(drawing("v1"), saved_by="ada", label="start")
    for version in range(2, 9):
        drafts.save(draft.id, drawing(f"v{version}"), base=version - 1, saved_by="ada")
    # 8 and 7 are the newest; before them 6, 5 and 3 are the last of their days; 1 is named.
    assert drafts.versions(draft.id) == (8, 7, 6, 5, 3, 1)


def test_j20_versions_of_a_newer_imageloom_are_not_thinned_out(drafts, monkeypatch):
    monkeypatch.setattr(module, "_KEPT_VERSIONS", 1)
    draft_id, _ = written_by_a_newer_one(drafts, changes=NEWER["what is drawn"])
    whole = drafts.read(draft_id)
    for version in (2, 3):
        file = drafts.folder(draft_id) / f"{version:06}.json"
        pipeline = drawing("Ours") if version == 3 else whole.pipeline
        changed = whole.model_copy(update={"version": version, "pipeline": pipeline})
        file.write_text(changed.model_dump_json())
    drafts.save(draft_id, drawing("Later"), base=3, saved_by="ada")
    assert drafts.versions(draft_id) == (4, 3, 2, 1)


def test_j03_a_damaged_old_version_keeps_nobody_from_saving(drafts, monkeypatch):
    monkeypatch.setattr(module, "_KEPT_VERSIONS", 1)
    draft = drafts.create(drawing("a"), saved_by="ada")
    (drafts.folder(draft.id) / "000001.json").write_text("{")
    with pytest.raises(StoreCorruptError, match="is not valid JSON"):
        drafts.save(draft.id, drawing("b"), base=1, saved_by="ada")
    (drafts.folder(draft.id) / "000002.json").write_text(
        draft.model_copy(update={"version": 2}).model_dump_json()
    )
    drafts.save(draft.id, drawing("c"), base=2, saved_by="ada")
    assert drafts.versions(draft.id) == (3, 2, 1)
