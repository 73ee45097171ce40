"""Work on many machines: shards of a benchmark for tasks that do not talk.

from s3fo.cluster import shard_names

names = shard_names(benchmark, "2/4")
predict(benchmark.subset(names), "results/")
"""

from evaluation._utils.shards import Shard
from s3fo.cluster.shards import Chosen, choose_sequences, shard_names

__all__ = ["Chosen", "Shard", "choose_sequences", "shard_names"]
