"""What the forms offer."""

FOLDERS = "folders"
"""Choice of two plain folders instead of a known benchmark."""

BENCHMARKS = {
    "davis-2016": "DAVIS 2016",
    "davis-2017": "DAVIS 2017",
    FOLDERS: "My own folders of frames and masks",
}
"""Benchmark name -> what to show."""
