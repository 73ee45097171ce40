"""Is a benchmark in a folder complete and readable?"""
