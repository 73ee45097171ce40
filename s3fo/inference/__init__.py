"""Video in, masks out: memory, propagation and baselines."""

from s3fo.inference.method import METHOD_NAMES, Method, build_method
from s3fo.inference.predict import Run, predict

__all__ = ["METHOD_NAMES", "Method", "Run", "build_method", "predict"]
