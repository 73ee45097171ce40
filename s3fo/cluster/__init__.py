"""Work on many processes and machines: shards, jobs of tasks, and engines to run them.

from s3fo.cluster import run, shard_names

names = shard_names(benchmark, "2/4")
predict(benchmark.subset(names), "results/")

job = run("predict", "davis-2017", "results/", root="DAVIS", on="slurm")
job.failures
"""

from evaluation._utils.shards import Shard
from s3fo.cluster.engines import ENGINES
from s3fo.cluster.job import Job, find_jobs
from s3fo.cluster.running import run
from s3fo.cluster.shards import Chosen, choose_sequences, shard_names
from s3fo.cluster.source import Source

__all__ = [
    "ENGINES",
    "Chosen",
    "Job",
    "Shard",
    "Source",
    "choose_sequences",
    "find_jobs",
    "run",
    "shard_names",
]
