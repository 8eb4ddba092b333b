"""The batch script as text: what is asked of Slurm, in which order, and that shells can read it."""

import dataclasses
import subprocess

import pytest

from imageloom.spec.scale import Scale
from imageloom.spec.target import Work
from imageloom.targets.slurm.job_files import script_of, variables_of
from imageloom.targets.slurm.options import SlurmOptions
from imageloom.targets.slurm.script import environment_text

WORK = Work(("-m", "imageloom.worker", "/shared/it's here"), demand="heavy")


def options_of(script):
    lines = str(script).splitlines()
    return [line.removeprefix("#SBATCH ") for line in lines if line.startswith("#SBATCH")]


def script(work=WORK, **options):
    return script_of(SlurmOptions.parse(options), work, "imageloom-1")


def test_a_persons_options_stand_last_so_that_they_hold():
    work = dataclasses.replace(WORK, scale=Scale(processes_per_node=4))
    queue = ["--partition=gpu", "--gpus-per-node={processes}", "--cpus-per-task=32"]
    found = options_of(script(work, queue=queue, time_limit="1:00:00", save_s=60))
    assert found[-3:] == ["--partition=gpu", "--gpus-per-node=4", "--cpus-per-task=32"]
    assert {"--cpus-per-task=4", "--time=1:00:00", "--signal=B:USR1@60", "--requeue"} <= set(found)


def test_work_that_needs_no_gpu_asks_for_none():
    queue = ["--partition=gpu", "--gpus-per-node={processes}", "--gres=tmp:{processes}"]
    found = options_of(script(dataclasses.replace(WORK, demand="light"), queue=queue))
    assert found[-1] == "--partition=gpu"


@pytest.mark.parametrize(
    ("nodes", "option", "keeps_going"),
    [((1, 1), "--nodes=1", False), ((4, 4), "--nodes=4", False), ((2, 4), "--nodes=2-4", True)],
)
def test_machines_may_be_lost_only_where_fewer_are_enough(nodes, option, keeps_going):
    text = script(dataclasses.replace(WORK, scale=Scale(*nodes)))
    assert option in options_of(text)
    assert ("--no-kill" in options_of(text)) is keeps_going
    assert ("IMAGELOOM_AGENT_COMMAND" in str(text)) is (nodes[1] > 1)


@pytest.mark.parametrize(
    ("options", "begin"),
    [
        ({"setup": ["module load cuda"]}, "python -u -P -m imageloom.worker"),
        ({"container": ["apptainer", "exec", "a b.sif"]}, "apptainer exec 'a b.sif' python -u -P"),
        ({"setup": ["x"], "python": "/opt/py"}, "/opt/py -u -P -m imageloom.worker"),
    ],
)
def test_with_a_set_up_or_a_container_python_is_theirs(options, begin):
    lines = str(script(**options)).splitlines()
    assert any(line.startswith(begin) for line in lines)


def test_the_set_up_runs_before_the_program_and_after_the_variables():
    lines = str(script(setup=["module load cuda"])).splitlines()
    places = [lines.index(line) for line in (". ./job.environment", "module load cuda")]
    program = next(at for at, line in enumerate(lines) if "imageloom.worker" in line)
    assert places == sorted(places)
    assert places[1] < program


def test_what_let_us_in_to_slurm_is_forgotten_before_anything_else_runs():
    lines = str(script(setup=["env"])).splitlines()
    forgotten = next(at for at, line in enumerate(lines) if line.startswith("unset SLURM_JWT"))
    assert forgotten < lines.index("env")


def test_a_shell_takes_the_script_whatever_the_words_are():
    odd = Work(("-m", "imageloom.worker", '/a\'b "c" $d `e`'), scale=Scale(1, 2))
    text = str(script(odd, container=["it's", '"odd"'], setup=["echo 'x'"]))
    done = subprocess.run(["bash", "-n"], input=text, text=True, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_variables_come_out_of_the_file_as_they_went_in(tmp_path):
    variables = {"IMAGELOOM_A": "it's $HOME `x`\nsecond line", "IMAGELOOM_B": ""}
    file = tmp_path / "job.environment"
    file.write_text(environment_text(variables), encoding="utf-8")
    show = f'. {file}; printf \'%s|%s\' "$IMAGELOOM_A" "$IMAGELOOM_B"'
    done = subprocess.run(["bash", "-c", show], text=True, capture_output=True, check=True)
    assert done.stdout == "it's $HOME `x`\nsecond line|"


def test_what_the_work_says_goes_before_what_this_process_has():
    work = dataclasses.replace(WORK, environment={"IMAGELOOM_INTERFACE": "ib1"})
    ours = {"IMAGELOOM_INTERFACE": "eth9", "TMPDIR": "/scratch/7", "PATH": "/bin"}
    options = SlurmOptions(interface="ib0")
    found = variables_of(ours, options, work, has_lock=True)
    assert found == {
        "PATH": "/bin",
        "IMAGELOOM_INTERFACE": "ib1",
        "IMAGELOOM_TAKE_LOCK": "1",
    }
