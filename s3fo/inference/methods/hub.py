"""Weights in the form of the transformers library: a folder, or a name on the hub."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from evaluation._utils.fingerprint import sha256_stream
from evaluation._utils.json_files import read_json
from evaluation.errors import InputError
from s3fo.inference.weights import file_hash

_FIX = "Give the whole folder, or download it again."
_FILES = ("*.json", "*.safetensors")


@dataclass(frozen=True)
class HubWeights:
    """A folder that `save_pretrained` of the transformers library wrote.

    Attributes:
        name: e.g. ``"facebook/sam2.1-hiera-tiny"``; of a local folder its last part.
        folder: where it lies.
        revision: commit of the hub's repository; None for a local folder.
    """

    name: str
    folder: Path
    revision: str | None = None

    @property
    def config(self) -> dict[str, object]:
        """Content of ``config.json``.

        Raises:
            InputError: it is missing or no JSON object.
        """
        path = self.folder / "config.json"
        what = "the config.json of a folder written by save_pretrained"
        content = read_json(path, _FIX, what)
        if not isinstance(content, dict):
            raise InputError(path, "no JSON object", what, _FIX)
        return content

    @property
    def normalisation(self) -> dict[str, list[float]]:
        """``image_mean`` and ``image_std`` where a processor's file gives them."""
        what = "the configuration of a processor"
        for name, keys in (
            ("video_preprocessor_config.json", ()),
            ("processor_config.json", ("video_processor", "image_processor")),
            ("preprocessor_config.json", ()),
        ):
            path = self.folder / name
            content = read_json(path, _FIX, what) if path.is_file() else {}
            if not isinstance(content, dict):
                raise InputError(path, "JSON of something else", what, _FIX)
            for part in (content, *(content.get(key) or {} for key in keys)):
                if "image_mean" in part and "image_std" in part:
                    return {key: part[key] for key in ("image_mean", "image_std")}
        return {}

    def record(self) -> dict[str, str]:
        """What a run record says of the weights.

        Returns:
            ``name`` (of a local folder without its path), ``sha256`` of the weights
            (of several files: of the list of their hashes), and ``revision`` if any.

        Raises:
            InputError: there are none in the safetensors format.
        """
        files = sorted(self.folder.glob("*.safetensors"))
        if not files:
            raise InputError(
                self.folder,
                "no .safetensors file",
                "weights as save_pretrained writes them",
                "Convert the checkpoint to safetensors, or use the hub's copy.",
            )
        hashes = [file_hash(file) for file in files]
        whole = hashes[0]
        if len(files) > 1:
            whole = sha256_stream(["\n".join(hashes).encode()])
        found = {"name": self.name, "sha256": whole}
        return found | ({"revision": self.revision} if self.revision else {})


def find_hub_weights(name: str) -> HubWeights:
    """The weights of a name.

    Args:
        name: a local folder, or a repository of the Hugging Face hub; a revision may
            follow behind an ``@``. What was downloaded before is used off-line.

    Raises:
        InputError: there is no such folder, and no such repository can be reached.
    """
    path = Path(name).expanduser()
    if path.is_dir():
        return HubWeights(path.resolve().name, path)
    if path.exists() or name.startswith((".", "/", "~")) or name.count("/") != 1:
        raise InputError(
            f"weights {name!r}",
            "a file" if path.exists() else "no such folder",
            "a folder with config.json and model.safetensors, or a hub name such as "
            "facebook/sam2.1-hiera-tiny",
            "Give the folder or the hub name; original .pt files must be converted.",
        )
    return _download(name)


def _download(name: str) -> HubWeights:
    from huggingface_hub import snapshot_download

    repository, _, revision = name.partition("@")
    try:
        folder = Path(
            snapshot_download(
                repository, revision=revision or None, allow_patterns=list(_FILES)
            )
        )
    except Exception as error:  # the hub's client has a dozen kinds
        first_line = (str(error) or type(error).__name__).splitlines()[0]
        raise InputError(
            f"weights {name!r}",
            f"weights that could not be downloaded ({first_line})",
            "a repository of the Hugging Face hub that this machine can reach",
            "Check the name; log in with `hf auth login` if it is gated; or download "
            "the folder elsewhere and pass its path.",
        ) from error
    return HubWeights(repository, folder, folder.name)
