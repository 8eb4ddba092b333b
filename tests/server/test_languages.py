"""Everything of the catalogue that a person reads in the page is there in French."""

import json
from pathlib import Path

import pytest

from imageloom import errors
from imageloom.metrics.figures import Averages
from imageloom.pipeline.checks.problems import ProblemKind
from imageloom.targets.machines import MachinesTarget
from imageloom.targets.slurm.target import SlurmTarget

FRENCH = Path(__file__).parents[2] / "web" / "src" / "i18n" / "server.fr.json"
READ = ("title", "help", "category", "section", "unit")  # as web/src/i18n/fromServer.ts has it


@pytest.fixture(scope="module")
def french():
    return json.loads(FRENCH.read_text(encoding="utf-8"))


def texts_in(value):
    """Yield what people read in an answer of the API."""
    if isinstance(value, list):
        for one in value:
            yield from texts_in(one)
    elif isinstance(value, dict):
        for key, inner in value.items():
            if isinstance(inner, str):
                if key in READ and inner:
                    yield inner
            else:
                yield from texts_in(inner)


def missing(texts, french):
    return sorted({one for one in texts if one not in french})


def test_every_component_with_its_ports_and_parameters_is_there_in_french(page, french):
    catalogue = page.get("/api/components").json()
    own = [one for one in catalogue["components"] if one["name"] != "hello"]
    assert missing(texts_in([own, catalogue["port_types"]]), french) == []


def test_every_template_and_target_is_there_in_french(page, french):
    templates = page.get("/api/pipelines/templates").json()
    pipelines = [one["pipeline"] for one in templates]
    names = [one[key] for one in pipelines for key in ("name", "description") if one.get(key)]
    targets = page.get("/api/targets").json()
    others = [text for one in (MachinesTarget, SlurmTarget) for text in (one.title, one.help)]
    assert missing([*texts_in([templates, targets]), *names, *others], french) == []


def test_every_kind_of_problem_and_error_has_a_french_title(french):
    def all_kinds(kind):
        yield kind.__name__
        for one in kind.__subclasses__():
            if one.__module__ == errors.__name__:
                yield from all_kinds(one)

    kinds = [*all_kinds(errors.ImageloomError), *map(str, ProblemKind)]
    assert len(kinds) > 50
    assert missing(kinds, french) == []


def test_every_figure_of_an_evaluation_is_there_in_french(french):
    figures = Averages(*(0.5 for _ in Averages.__dataclass_fields__)).to_json()
    others = ("Top_5_Accuracy", "Log_Loss", "Expected_Calibration_Error")
    assert missing([*figures, *others], french) == []


def test_no_french_text_stands_for_what_is_said_nowhere(page, french):
    """A sentence that was changed in English would else keep its old French for ever."""
    catalogue = page.get("/api/components").json()
    templates = page.get("/api/pipelines/templates").json()
    said = set(texts_in([catalogue, templates, page.get("/api/targets").json()]))
    sentences = [one for one in french if len(one) > 60 and one.endswith(".")]
    others = {MachinesTarget.help, SlurmTarget.help} | {
        one["pipeline"].get("description") for one in templates
    }
    assert sorted(set(sentences) - said - others) == []
