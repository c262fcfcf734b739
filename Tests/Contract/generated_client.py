"""Scores images with the generated client `generated` and with curl, at the URL and with the key in the arguments."""

import io
import json
import pathlib
import subprocess
import sys

from generated import AuthenticatedClient
from generated.api.default import dissolve, model_metadata, models, score
from generated.models import ScoreFilesBody
from generated.types import File

EXAMPLES = sorted((pathlib.Path(__file__).resolve().parents[2] / "examples").glob("*.png"))


def score_of_curl(url, key, path):
    """Returns the response of /v1/models/phantom/score as curl gets it."""
    command = [
        "curl", "--silent", "--show-error", "--fail", "--header", f"Authorization: Bearer {key}", "--header",
        "Content-Type: image/png", "--data-binary", f"@{path}", f"{url}/v1/models/phantom/score",
    ]
    return json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True, timeout=60).stdout)


def same(found, expected):
    """Checks that two score objects are equal, except for the ID of the request."""
    found, expected = ({**value, "request_id": None} for value in (found, expected))
    assert found == expected, f"{found} is not {expected}"


def main(url, key):
    """Compares the results."""
    client = AuthenticatedClient(base_url=url, token=key)
    assert [model.name for model in models.sync(client=client).models] == ["phantom"]
    assert model_metadata.sync("phantom", client=client).name == "phantom"
    for path in EXAMPLES:
        expected = score_of_curl(url, key, path)
        with path.open("rb") as file:
            same(score.sync("phantom", client=client, body=File(file)).to_dict(), expected)
        form = ScoreFilesBody(image=File(io.BytesIO(path.read_bytes()), path.name, "image/png"))
        same(score.sync("phantom", client=client, body=form).to_dict(), expected)
        print(f"  {path.name}: score {expected['score']:.4f}, the same as with curl")
        with path.open("rb") as file:
            picture = dissolve.sync("phantom", client=client, body=File(file), t="50,200")
        assert picture.payload.read(8) == b"\x89PNG\r\n\x1a\n"
    assert EXAMPLES


main(*sys.argv[1:])
