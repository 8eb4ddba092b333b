"""Train image classifiers: a folder of pictures in, a trained and scored model out.

The whole public API, each name imported when it is first used, so that ``import imageloom`` takes
milliseconds::

    import imageloom

    result = imageloom.train("resnet18", "photos/train", "photos/val", "run")
    table = imageloom.score(result.run, "photos/new", "scores.parquet")

Pipelines are in ``imageloom.pipelines``.
"""

TYPE_CHECKING = False  # as type checkers know it; typing alone takes longer than all the rest
if TYPE_CHECKING:
    from imageloom import errors
    from imageloom.data.convert import convert
    from imageloom.data.corrections import Correction
    from imageloom.data.exports.export import export_images
    from imageloom.data.exports.params import ImageExportParams
    from imageloom.data.find_parts import find_parts
    from imageloom.data.images.check import check
    from imageloom.data.images.correct import correct
    from imageloom.data.images.directory import ImageDirectory
    from imageloom.data.images.split import split
    from imageloom.data.open import open_images
    from imageloom.data.params import ConvertParams, SplitParams
    from imageloom.data.similar.find import find_duplicates
    from imageloom.exporting.export import export
    from imageloom.exporting.params import ExportParams
    from imageloom.launch.params import LaunchParams
    from imageloom.launch.train import resume, train
    from imageloom.models.model_directory import create_model
    from imageloom.models.params import ModelParams
    from imageloom.pipeline.graph.json_format import read_pipeline
    from imageloom.pipelines import build_pipeline, run_pipeline, write_pipeline
    from imageloom.reports.evaluate_to import evaluate_to
    from imageloom.scoring.evaluate import compare, evaluate
    from imageloom.scoring.explain.explain import explain
    from imageloom.scoring.label_errors import find_label_errors
    from imageloom.scoring.params import EvaluateParams, ScoreParams
    from imageloom.scoring.predict import predict
    from imageloom.scoring.score import score
    from imageloom.training.params import TrainParams

__version__ = "0.1.0"

__all__ = [
    "ConvertParams",
    "Correction",
    "EvaluateParams",
    "ExportParams",
    "ImageDirectory",
    "ImageExportParams",
    "LaunchParams",
    "ModelParams",
    "ScoreParams",
    "SplitParams",
    "TrainParams",
    "__version__",
    "build_pipeline",
    "check",
    "compare",
    "convert",
    "correct",
    "create_model",
    "errors",
    "evaluate",
    "evaluate_to",
    "explain",
    "export",
    "export_images",
    "find_duplicates",
    "find_label_errors",
    "find_parts",
    "open_images",
    "predict",
    "read_pipeline",
    "resume",
    "run_pipeline",
    "score",
    "split",
    "train",
    "write_pipeline",
]

_HOMES = {
    "ConvertParams": "imageloom.data.params",
    "Correction": "imageloom.data.corrections",
    "EvaluateParams": "imageloom.scoring.params",
    "ExportParams": "imageloom.exporting.params",
    "ImageDirectory": "imageloom.data.images.directory",
    "ImageExportParams": "imageloom.data.exports.params",
    "LaunchParams": "imageloom.launch.params",
    "ModelParams": "imageloom.models.params",
    "ScoreParams": "imageloom.scoring.params",
    "SplitParams": "imageloom.data.params",
    "TrainParams": "imageloom.training.params",
    "build_pipeline": "imageloom.pipelines",
    "check": "imageloom.data.images.check",
    "compare": "imageloom.scoring.evaluate",
    "convert": "imageloom.data.convert",
    "correct": "imageloom.data.images.correct",
    "create_model": "imageloom.models.model_directory",
    "errors": "imageloom",
    "evaluate": "imageloom.scoring.evaluate",
    "evaluate_to": "imageloom.reports.evaluate_to",
    "export": "imageloom.exporting.export",
    "export_images": "imageloom.data.exports.export",
    "explain": "imageloom.scoring.explain.explain",
    "find_label_errors": "imageloom.scoring.label_errors",
    "find_duplicates": "imageloom.data.similar.find",
    "find_parts": "imageloom.data.find_parts",
    "open_images": "imageloom.data.open",
    "predict": "imageloom.scoring.predict",
    "read_pipeline": "imageloom.pipeline.graph.json_format",
    "resume": "imageloom.launch.train",
    "run_pipeline": "imageloom.pipelines",
    "score": "imageloom.scoring.score",
    "split": "imageloom.data.images.split",
    "train": "imageloom.launch.train",
    "write_pipeline": "imageloom.pipelines",
}


def __getattr__(name: str) -> object:
    if name == "errors":
        import imageloom.errors

        return imageloom.errors
    if name not in _HOMES:
        raise AttributeError(f"module 'imageloom' has no attribute {name!r}")
    from imageloom.registry import import_attribute

    return import_attribute(_HOMES[name], name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
