"""What each video object segmentation benchmark looks like on disk."""

from s3fo.benchmarks.benchmark import Benchmark
from s3fo.benchmarks.download.fetch import fetch_benchmark
from s3fo.benchmarks.layouts.folders import open_folders
from s3fo.benchmarks.opening import open_benchmark
from s3fo.benchmarks.submission.build import Submission, write_submission
from s3fo.benchmarks.submission.burst import write_burst_predictions
from s3fo.benchmarks.synthetic import write_synthetic
from s3fo.benchmarks.validation.completeness import Validation, validate
from s3fo.benchmarks.video import VideoObject, VideoSequence

__all__ = [
    "Benchmark",
    "Submission",
    "Validation",
    "VideoObject",
    "VideoSequence",
    "fetch_benchmark",
    "open_benchmark",
    "open_folders",
    "validate",
    "write_burst_predictions",
    "write_submission",
    "write_synthetic",
]
