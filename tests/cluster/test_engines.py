"""Jobs on engines: as one run, to the bit; continued after kills; errors told."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from evaluation import score
from evaluation.errors import InputError, InputWarning
from evaluation.masks.label_map import read_label_map, write_label_map
from s3fo.benchmarks import write_synthetic
from s3fo.benchmarks.synthetic import Factors
from s3fo.cluster import Job, find_jobs, run
from s3fo.cluster.engines.by_slurm import _explain_refusal
from s3fo.cluster.job import JobRecord, new_job
from s3fo.cluster.task_file import Task
from s3fo.inference import predict

pytest.importorskip("submitit")

REPOSITORY = Path(__file__).resolve().parents[2]
LENGTHS = {"ape": 7, "bee": 6, "cat": 5, "dog": 4}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("engines") / "benchmark"
    videos = {name: Factors(objects=1, length=n) for name, n in LENGTHS.items()}
    write_synthetic(folder, videos=videos, size=(40, 64))
    return folder


@pytest.fixture(scope="module")
def whole(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Masks that one process predicted."""
    out = tmp_path_factory.mktemp("whole") / "masks"
    predict("davis-2017", out, root=root, method="copy")
    return out


@pytest.fixture(autouse=True)
def workers_find_s3fo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
    monkeypatch.delenv("SLURM_ARRAY_TASK_ID", raising=False)


def masks_of(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.glob("*/*.png"))
    }


def test_a_job_gives_what_one_run_gives_to_the_bit(cli, root, whole, tmp_path):
    out, scores = tmp_path / "masks", tmp_path / "scores"
    words = ["davis-2017", "--root", root, "--on", "debug"]
    code, text, _ = cli(
        "predict", *words, "--out", out, "--method", "copy", "--tasks", "3"
    )
    assert code == 0 and "4 videos done, by 3 tasks on debug" in text
    assert masks_of(out) == masks_of(whole)
    words[0:1] = [out, "--benchmark", "davis-2017"]
    assert cli("evaluate", *words, "--tasks", "3", "--out", scores)[0] == 0
    alone = ["evaluate", out, "--benchmark", "davis-2017", "--root", root]
    assert cli(*alone, "--out", tmp_path / "alone")[0] == 0
    for name in ("frames.parquet", "objects.parquet", "sequences.parquet"):
        one, many = (tmp_path / k / name for k in ("alone", "scores"))
        assert one.read_bytes() == many.read_bytes()
    one, many = (
        [line for line in (tmp_path / k / "scores.json").read_text().splitlines()
         if '"scored"' not in line]
        for k in ("alone", "scores")
    )  # fmt: skip
    assert one == many


@pytest.mark.seconds
def test_local_processes_and_what_jobs_tells_of_them(cli, root, whole, tmp_path):
    out = tmp_path / "masks"
    job = run(
        "predict", "davis-2017", out, root=root, method="copy", on="local", tasks=2,
        parallel=2,
    )  # fmt: skip
    assert job.failures == {} and job.done and masks_of(out) == masks_of(whole)
    code, text, _ = cli("jobs", tmp_path, "--json")
    [told] = json.loads(text)
    assert code == 0 and told["counts"] == {"done": 2} and told["on"] == "local"
    # Costs 14 and 12, then 10 and 8: longest first to whoever has least.
    assert [t["sequences"] for t in told["tasks"]] == [["ape", "dog"], ["bee", "cat"]]
    assert all(t["host"] == os.uname().nodename for t in told["tasks"])
    assert len({t["pid"] for t in told["tasks"]} | {os.getpid()}) == 3
    code, text, _ = cli("jobs", out)
    assert code == 0 and "2 done" in text and "running" not in text


def test_a_broken_video_is_named_and_done_when_it_is_repaired(cli, root, tmp_path):
    data = tmp_path / "data"
    shutil.copytree(root, data)
    image = data / "JPEGImages" / "480p" / "cat" / "00002.jpg"
    content = image.read_bytes()
    image.write_bytes(b"no picture")
    words = ["predict", "davis-2017", "--root", data, "--out", tmp_path / "masks"]
    words += ["--method", "copy", "--on", "debug", "--tasks", "4"]
    code, text, errors = cli(*words)
    assert code == 1 and "failed: cat: " in errors and "00002.jpg" in errors
    assert "3 videos done" in text
    code, text, _ = cli("jobs", tmp_path / "masks")
    assert "3 done, 1 failed" in text and "cat" in text
    image.write_bytes(content)
    code, text, _ = cli(*words)
    assert code == 0
    [job] = find_jobs(tmp_path / "masks")
    made = {t.sequences[0]: t.result["finished"] for t in job.tasks().values()}
    assert made == {"ape": 0, "bee": 0, "cat": 1, "dog": 0} and job.done


def test_scores_after_an_error_are_of_the_masks_as_they_are_then(
    cli, root, whole, tmp_path
):
    out = tmp_path / "masks"
    shutil.copytree(whole, out)
    lost = (out / "dog" / "00002.png").read_bytes()
    (out / "dog" / "00002.png").unlink()
    gt = root / "Annotations" / "480p"
    words = ["evaluate", out, "--gt", gt, "--on", "debug", "--tasks", "4"]
    words += ["--out", tmp_path / "scores", "--json"]
    code, _, errors = cli(*words)
    assert code == 1 and "shard 4/4" in errors and "dog: 00002" in errors
    assert not (tmp_path / "scores" / "scores.json").exists()
    # Meanwhile a video whose shard is done is predicted anew.
    changed = out / "ape" / "00003.png"
    write_label_map(changed, np.roll(read_label_map(changed), 9, axis=1))
    (out / "dog" / "00002.png").write_bytes(lost)
    code, text, _ = cli(*words)
    assert code == 0
    assert json.loads(text)["J&F"] == score(out, gt).summary["J&F"]


KILLS_ITS_CALLER = """
import os, shutil, signal, sys
flag, frames, masks, out = sys.argv[1:]
if not os.path.exists(flag):
    open(flag, "w").close()
    os.kill(os.getppid(), signal.SIGKILL)
first = sorted(os.listdir(masks))[0]
for name in sorted(os.listdir(frames)):
    shutil.copy(os.path.join(masks, first), os.path.join(out, name[:-3] + "png"))
"""


@pytest.mark.slow
def test_a_killed_task_is_begun_again(root, tmp_path):
    program = tmp_path / "program.py"
    program.write_text(KILLS_ITS_CALLER)
    command = f"{sys.executable} {program} {tmp_path / 'flag'} {{frames}} {{masks}}"
    job = run(
        "predict", "davis-2017", tmp_path / "masks", root=root, on="local", tasks=2,
        parallel=1, method="command", command=command + " {out}",
    )  # fmt: skip
    assert (tmp_path / "flag").exists() and job.failures == {}
    assert sorted(task.attempts for task in job.tasks().values()) == [1, 2]
    assert len(masks_of(tmp_path / "masks")) == sum(LENGTHS.values())


def test_a_task_whose_process_is_gone_is_lost_and_continued(cli, root, tmp_path):
    words = ["predict", "davis-2017", "--root", root, "--out", tmp_path / "masks"]
    words += ["--method", "copy", "--on", "debug", "--tasks", "2"]
    assert cli(*words)[0] == 0
    [job] = find_jobs(tmp_path / "masks")
    path = job.paths[1]
    content = json.loads(path.read_text())
    content |= {"state": "running", "host": "far", "pid": 7}
    path.write_text(json.dumps(content))
    assert Job(job.folder).counts() == {"done": 1, "lost": 1}
    code, text, _ = cli("jobs", tmp_path / "masks")
    assert code == 0 and "1 lost" in text and "far 7" in text
    assert cli(*words)[0] == 0
    assert [job.name for job in find_jobs(tmp_path / "masks")] == [job.name]
    assert Task.load(path).state == "done" and Task.load(path).result["kept"] == 2


def test_damaged_jobs_are_left_out_of_the_list_by_name(cli, tmp_path):
    made = [
        JobRecord("predict", name, name, "debug", n, 0) for n, name in enumerate("abc")
    ]
    good, torn, half = (new_job(tmp_path / "out", record, []) for record in made)
    (torn.folder / "job.json").write_text('{"verb": "pre')
    (half.folder / "0001.json").write_text("[]")
    notes: list[str] = []
    assert [job.name for job in find_jobs(tmp_path / "out", notes)] == [good.name]
    assert sum(str(torn.folder / "job.json") in note for note in notes) == 1
    assert sum(str(half.folder / "0001.json") in note for note in notes) == 1
    with pytest.warns(InputWarning) as told:
        assert len(find_jobs(tmp_path)) == 1
    assert len(told) == 2
    code, text, errors = cli("jobs", tmp_path)
    assert code == 0 and "predict a" in text and "predict b" not in text
    assert "note: a job was left out" in errors and torn.name in errors


def test_a_task_can_be_run_by_hand(root, tmp_path, monkeypatch):
    from s3fo.cluster.engines.by_submitit import DebugEngine

    monkeypatch.setattr(DebugEngine, "submit", lambda self, paths: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        run("predict", "davis-2017", tmp_path / "m", root=root, on="debug",
            method="copy", tasks=2)  # fmt: skip
    [job] = find_jobs(tmp_path)
    assert job.counts() == {"waiting": 2}
    words = [sys.executable, "-m", "s3fo.cluster.task", job.paths[0]]
    assert subprocess.run(words, cwd=tmp_path).returncode == 0
    assert job.counts() == {"waiting": 1, "done": 1}
    assert sorted(p.name for p in (tmp_path / "m").glob("[a-z]*/")) == ["ape", "dog"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--on", "mars"], "local, slurm, ray"),
        (["--on", "ray://"], "local, slurm, ray"),
        (["--on", "local", "--tasks", "0"], "1 or more"),
        (["--on", "local", "--no-wait"], "--on slurm"),
        (["--on", "local", "--shard", "1/2"], "not both"),
        (["--on", "local", "--overwrite"], "another --out"),
        (["--on", "local", "--gpus", "0.5"], "a whole number"),
        (["--on", "local", "--method", "nosuch"], "nosuch"),
        (["--on", "local", "--sequence", "fox"], "fox"),
        (["--on", "slurm", "--slurm", "account"], "account=lab"),
        (["--tasks", "3"], "Add --on"),
        (["--no-wait"], "Add --on"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_written(
    cli, root, tmp_path, words, told
):
    out = tmp_path / "masks"
    code, _, errors = cli("predict", "davis-2017", "--root", root, "--out", out, *words)
    assert code == 2 and told in errors and not out.exists()


def test_without_slurm_it_says_so(cli, root, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    words = ["predict", "davis-2017", "--root", root, "--out", tmp_path / "masks"]
    code, _, errors = cli(*words, "--on", "slurm")
    assert code == 2 and "sbatch" in errors and "login node" in errors


@pytest.mark.parametrize(
    ("said", "remedy"),
    [
        ("fatal: Could not establish a configuration source", "`sinfo` lists"),
        ("error: Unable to contact slurm controller (connect failure)", "login node"),
        ("error: invalid partition specified: gpus", "--partition"),
    ],
)
def test_what_sbatch_says_has_its_own_remedy(said, remedy):
    error = _explain_refusal(f"sbatch: {said}")
    assert remedy in error.remedy and said in error.found


def test_evaluate_wants_a_place_for_its_job(cli, root):
    gt = root / "Annotations" / "480p"
    code, _, errors = cli("evaluate", gt, "--gt", gt, "--on", "debug")
    assert code == 2 and "--out" in errors
    with pytest.raises(InputError, match="at least one folder"):
        run("evaluate", gt, "anywhere", on="debug")


SBATCH = """#!{python}
import os, re, subprocess, sys
text = open(sys.argv[1]).read()
open({log!r}, "a").write(text)
last = int(re.search(r"--array=0-(\\d+)", text)[1])
for i in range(last + 1):
    task = {{"SLURM_JOB_ID": str(8 + i), "SLURM_ARRAY_JOB_ID": "7",
             "SLURM_ARRAY_TASK_ID": str(i)}}
    nothing = subprocess.DEVNULL
    subprocess.Popen(["bash", sys.argv[1]], env={{**os.environ, **task}},
                     stdout=nothing, stderr=nothing)
print("Submitted batch job 7")
"""
SRUN = """#!/bin/bash
while [[ $1 == --* ]]; do [[ $1 == --unbuffered ]] && shift || shift 2; done
exec "$@"
"""


def test_slurm_gets_an_array_of_tasks(cli, root, whole, tmp_path, monkeypatch):
    """By programs that stand for Slurm's own and begin all tasks at once."""
    programs = tmp_path / "bin"
    programs.mkdir()
    log = tmp_path / "sbatch.log"
    texts = {
        "sbatch": SBATCH.format(python=sys.executable, log=str(log)),
        "srun": SRUN,
        "squeue": "#!/bin/sh\nprintf '7_0\\n7_1\\n'\n",
    }
    for name, text in texts.items():
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    out = tmp_path / "masks"
    words = ["predict", "davis-2017", "--root", root, "--out", out, "--method", "copy"]
    words += ["--on", "slurm", "--tasks", "2", "--partition", "gpu", "--gpus", "2"]
    words += ["--cpus", "3", "--minutes", "50", "--parallel", "1"]
    code, text, _ = cli(*words, "--slurm", "account=lab")
    assert code == 0 and "4 videos done, by 2 tasks on slurm" in text
    assert masks_of(out) == masks_of(whole)
    asked = log.read_text()
    for line in (
        "--partition=gpu", "--gpus-per-node=2", "--cpus-per-task=3", "--time=50",
        "--array=0-1%1", "--account=lab", "--job-name=s3fo-predict", "--signal=USR2@",
    ):  # fmt: skip
        assert f"#SBATCH {line}" in asked
    [job] = find_jobs(out)
    assert list(job.record.ids.values()) == ["7_0", "7_1"]


def test_a_pre_empted_task_goes_back_to_waiting(root, tmp_path, monkeypatch):
    from s3fo.cluster import task as module

    job = run("predict", "davis-2017", tmp_path / "masks", root=root, on="debug",
              method="copy", tasks=2)  # fmt: skip
    path = job.paths[0]
    Task.load(path).again().save(path)

    def pre_empt(*_: object) -> None:
        signal.raise_signal(signal.SIGUSR2)

    def stop(*_: object) -> None:
        raise SystemExit(-1)  # as submitit's handler does, after it requeued the job

    before = signal.signal(signal.SIGUSR2, stop)
    try:
        with monkeypatch.context() as patch:
            patch.setattr(module, "do", pre_empt)
            with pytest.raises(SystemExit):
                module.run_task(path)
    finally:
        signal.signal(signal.SIGUSR2, before)
    stopped = Task.load(path)
    assert stopped.state == "waiting" and "kept" in stopped.error
    assert module.run_task(path).state == "done"
    assert Task.load(path).attempts == 3 and not Task.load(path).error
