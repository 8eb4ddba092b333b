"""What the benchmarks of speed make of what they measured."""

import importlib.util
import io
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

SPEED = Path(__file__).parents[2] / "benchmarks" / "speed"


def loaded(name):
    spec = importlib.util.spec_from_file_location(f"speed_{name}", SPEED / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


rounds, watched, pictures = loaded("rounds"), loaded("watched"), loaded("pictures")


def test_each_round_runs_all_and_begins_with_another():
    assert list(rounds.in_turn(["a", "b", "c"], 2)) == [
        *((0, "a"), (0, "b"), (0, "c")),
        *((1, "b"), (1, "c"), (1, "a")),
    ]


def test_ratios_are_those_within_a_round():
    found = rounds.Found()
    for ours, theirs in ((10.0, 5.0), (30.0, 10.0)):
        found.add("ours", speed=ours)
        found.add("theirs", speed=theirs)
    assert found.ratios("ours", "speed", "theirs") == [2.0, 3.0]
    assert found.ratios("ours", "speed", "absent") == []


def test_a_name_that_is_left_out_is_gone_with_all_its_rounds():
    found = rounds.Found()
    for name in ("one", "other", "one"):
        found.add(name, speed=1.0, memory=2.0)
    found.leave_out("one")
    assert found.names() == ["other"]
    assert found.of("one", "memory") == []


def test_a_cell_says_median_least_and_most():
    assert rounds.median_and_spread([3.0, 1.0, 2.0]) == "2.0 (1.0 to 3.0)"
    assert rounds.median_and_spread([2048.0], digits=2, unit=1024) == "2.00"
    assert rounds.median_and_spread([]) == ""


def test_an_epoch_lasts_from_its_last_begin_to_its_last_step():
    marks = [
        *(("epoch", 0.5), ("epoch", 1.0), ("step", 2.0), ("epoch", 2.5), ("step", 3.0)),
        *(("epoch", 7.0), ("step", 8.0), ("step", 9.5)),
    ]
    assert watched.epochs_of(marks, 2) == [(1.0, 3.0), (7.0, 9.5)]


@pytest.mark.parametrize("marks", [[], [("epoch", 0.0), ("step", 1.0)]])
def test_steps_that_make_no_whole_epochs_are_refused(marks):
    with pytest.raises(ValueError, match=f"{len(marks) // 2} steps were seen; an epoch has 2"):
        watched.epochs_of(marks, 2)


def test_a_commented_jpeg_has_other_bytes_and_the_same_pixels():
    file = io.BytesIO()
    Image.linear_gradient("L").convert("RGB").save(file, "JPEG")
    one, other = (pictures.with_comment(file.getvalue(), number) for number in (1, 2))
    assert len({file.getvalue(), one, other}) == 3
    pixels = {Image.open(io.BytesIO(jpeg)).tobytes() for jpeg in (file.getvalue(), one, other)}
    assert len(pixels) == 1


def test_a_command_is_watched_with_its_steps_and_epochs(tmp_path):
    script = tmp_path / "training.py"
    script.write_text(
        "import torch\n"
        "network = torch.nn.Sequential(torch.nn.Linear(1, 1))\n"
        "optimizer = torch.optim.SGD(network.parameters(), lr=0.1)\n"
        "for _ in range(2):\n"
        "    network.train()\n"
        "    for _ in range(3):\n"
        "        optimizer.step()\n"
        "    network.eval()\n"
        "print('done')\n"
    )
    seen = watched.watch([sys.executable, script], tmp_path / "notes")
    assert [word for word, _ in seen.marks] == ["epoch", "step", "step", "step"] * 2
    assert 0 < seen.marks[0][1] < seen.marks[-1][1] < seen.seconds
    assert seen.output == "done\n"


def test_a_command_that_fails_is_told_with_its_traceback(tmp_path):
    assert issubclass(watched.Failed, SystemExit)  # so a benchmark ends with these words alone
    script = "print('line\\n' * 9000); 1 / 0"
    with pytest.raises(watched.Failed, match=r"ended with 1:\nTraceback(.|\n)*ZeroDivisionError"):
        watched.watch([sys.executable, "-c", script], tmp_path / "notes")


@pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="needs Linux's /proc")
@pytest.mark.parametrize(
    "held", ["held = bytearray(90_000_000)", "bytearray(90_000_000); held = 0"]
)
def test_most_memory_of_processes_is_noted_also_where_it_was_held_between_two_looks(held):
    script = f"import sys; {held}; print('ready', flush=True); sys.stdin.read()"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {script!r}])"
    for program in (script, parent):
        with subprocess.Popen(
            [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as child:
            assert child.stdout.readline() == b"ready\n"
            memory = watched.Memory(child.pid)
            memory.look()
        assert 90_000_000 < memory.peak_bytes < 180_000_000


def test_a_result_says_a_command_that_a_shell_takes_without_the_folders(monkeypatch):
    monkeypatch.syspath_prepend(SPEED)
    report = loaded("report")
    parser = report.parser_of("Says something.")
    monkeypatch.setattr(
        sys, "argv", [str(SPEED / "bench_x.py"), "--work", "/a b", "--systems", "by hand", "timm"]
    )
    assert report.command(parser) == (
        "python benchmarks/speed/bench_x.py --work WORK --systems 'by hand' timm"
    )
