from small_benchmark import benchmark, cache, dataset, predicted, results

__all__ = ["benchmark", "cache", "dataset", "predicted", "results"]
