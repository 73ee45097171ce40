"""Peak memory of this process, or of the GPU it works on."""

from __future__ import annotations

import sys
from pathlib import Path

_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


class PeakMemory:
    """Peak of the memory in use since this object was made.

    Args:
        device: as a method names it, e.g. ``"cuda:0 (NVIDIA H100)"``.

    Attributes:
        of: what is measured, in words.
    """

    def __init__(self, device: str) -> None:
        self._cuda = device.split(" ")[0] if device.startswith("cuda") else None
        if self._cuda:
            import torch

            torch.cuda.reset_peak_memory_stats(self._cuda)
            self.of = "memory allocated by PyTorch on the GPU, weights included"
            return
        try:
            _CLEAR.write_text("5")  # resets the peak on Linux
        except OSError:
            self.of = "resident memory of the process, the highest since it began"
        else:
            self.of = "resident memory of the process, Python and weights included"

    def megabytes(self) -> float | None:
        """The peak so far; None where the system does not tell."""
        if self._cuda:
            import torch

            return round(torch.cuda.max_memory_allocated(self._cuda) / 2**20, 1)
        try:
            for line in _STATUS.read_text().splitlines():
                if line.startswith("VmHWM"):
                    return round(int(line.split()[1]) / 1024, 1)
        except OSError:
            pass
        return _highest_ever()


def _highest_ever() -> float | None:
    try:
        import resource
    except ImportError:  # not a Unix
        return None
    highest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(highest / (2**20 if sys.platform == "darwin" else 2**10), 1)
