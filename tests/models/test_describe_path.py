import pytest

from imageloom.models.describe_path import no_model_directory


@pytest.mark.parametrize(
    ("name", "content", "message", "reason"),
    [
        ("image_directory.json", "{}", "it is an image directory", "other-kind"),
        ("run.json", "{}", "it is a run directory", "other-kind"),
        ("MLmodel", "flavors:", "it is an MLflow model", "other-kind"),
        ("_meta.yaml", "type: ImageDirectory\n", "an old ImageDirectory of the de", "other-kind"),
        ("_meta.yaml", "a: b\ntype: 'TransformationDirectory'", "TransformationDirectory", "other"),
        ("model.onnx", "", "holds 'model.onnx' in an unsafe format", "unsafe-format"),
        ("weights.pt", "", "holds 'weights.pt' in an unsafe format", "unsafe-format"),
        ("model.keras", "", "holds 'model.keras' in an unsafe format", "unsafe-format"),
        ("model.pt2", "", "holds 'model.pt2' in an unsafe format", "unsafe-format"),
        ("holiday.jpg", "", "it holds no model.json", "no-record"),
    ],
)
def test_e01_e06_what_lies_there_instead_is_named(tmp_path, name, content, message, reason):
    (tmp_path / name).write_text(content)
    error = no_model_directory(tmp_path)
    assert message in error.message
    assert error.reason.startswith(reason)
    assert error.code == "0159"


def test_e01_an_empty_folder_a_missing_one_and_a_file_are_told_apart(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("")
    (tmp_path / "weights.pth").write_text("")
    assert "it is empty" in no_model_directory(tmp_path / "empty").message
    assert "it does not exist" in no_model_directory(tmp_path / "none").message
    assert "it is a file" in no_model_directory(tmp_path / "file").message
    error = no_model_directory(tmp_path / "weights.pth")
    assert error.reason == "unsafe-format"
    assert "--weights FILE" in error.hint


def test_an_old_record_of_another_encoding_is_no_problem(tmp_path):
    (tmp_path / "_meta.yaml").write_bytes(b"\xff\xfe" * 5000)
    assert "holds no model.json" in no_model_directory(tmp_path).message
