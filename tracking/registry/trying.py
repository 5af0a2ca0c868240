"""A model is tried on its example in a process of its own: `python -m tracking.registry.trying`.

A made-up model may take all memory or never come to an end, and compiled code that reads it may fall. So whoever
evaluates a gate, the dashboard too, asks a process with bounds. Standard input is a line of JSON, {"details", "where",
"example": bytes, "size": bytes}, then the example, then the model; the answer on standard output is one line of JSON:
{"same": true, "found": sentence} or {"refused": sentence}.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import shutil
import signal
import tempfile
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tracking.artifacts.model_examples import decode_example, plain_predictions
from tracking.artifacts.models import load_format
from tracking.errors import TrackingError

if TYPE_CHECKING:
    from tracking.artifacts.objects import Objects
    from tracking.records import ArtifactRecord
    from tracking.registry_records import VersionRecord

SECONDS = 120.0
MEMORY_BYTES = 8 << 30
"""Of address space, of which Python and scikit-learn take 1 GB before they read anything."""
RELATIVE, ABSOLUTE = 1e-5, 1e-8
"""By which numbers may differ, as numpy.allclose has it: other processors and libraries add in another order."""
_MODULE = "tracking.registry.trying"


def try_version(
    objects: Objects, version: VersionRecord, artifacts: Sequence[ArtifactRecord] = ()
) -> tuple[bool, str]:
    """Return whether a version's model loads and predicts its example as it did when it was logged, and what was found.

    Args:
        objects: Of the store.
        version: The version.
        artifacts: Of its run, to find the example of a model that does not name it by its digest.

    Raises:
        TrackingError: The bytes are missing or damaged.
    """
    # Here, since the process of its own needs none of them, and begins sooner so.
    from tracking.artifacts.preview_process import ReaderFailed, ReaderTooSlow, ask_reader
    from tracking.artifacts.reading import located, open_file
    from tracking.registry.registering import artifact_of

    if version.kind != "model":
        return (
            False,
            f"{version.artifact} is a {version.kind}; only what log_model kept is tried. Log it with log_model",
        )
    digest = _example_digest(version, artifacts)
    if digest is None:
        return False, "no example was kept with the model; log it with input_example="
    with (
        located(f"the example of {version.name}", lambda: objects.open(digest)) as example,
        open_file(objects, artifact_of(version), None) as model,
        tempfile.TemporaryFile() as request,
    ):
        said = {
            "details": dict(version.details),
            "where": "The model",
            "size": os.fstat(example.fileno()).st_size,
        }
        request.write(json.dumps(said).encode() + b"\n")
        shutil.copyfileobj(example, request)
        shutil.copyfileobj(model, request)
        request.flush()
        try:
            answer = ask_reader(request, _MODULE, seconds=SECONDS)
        except ReaderTooSlow:
            return False, f"it took longer than {SECONDS:.0f} s to load and predict"
        except ReaderFailed as error:
            return False, f"the process that loaded it came to grief: {error}"
        except TrackingError:
            # Of that process, not of the model: it could not start, or there was no memory left for it.
            return False, "the process that tries it could not work, perhaps for want of memory; try again"
    return _understood(answer)


def _understood(answer: object) -> tuple[bool, str]:
    if isinstance(answer, dict) and isinstance(answer.get("refused"), str):
        return False, answer["refused"]
    if isinstance(answer, dict) and isinstance(answer.get("found"), str):
        return answer.get("same") is True, answer["found"]
    return False, "the process that loaded it gave no answer that can be read"


def _example_digest(version: VersionRecord, artifacts: Sequence[ArtifactRecord]) -> str | None:
    from tracking.artifacts.objects import is_digest

    digest = version.details.get("example_digest")
    if digest is None:
        named = version.details.get("example")
        found = [each for each in artifacts if each.name == named and each.step == version.step]
        digest = found[0].digest if found else None
    return digest if is_digest(digest) else None


# In the process of its own


def main() -> None:
    """Answer, and end at once: nothing is left to be tidied up in a process that may be damaged."""
    _bound_this_process()
    answers = os.dup(1)
    os.dup2(2, 1)  # what a library prints is no answer
    try:
        answer = _tried()
    except MemoryError:
        answer = {
            "refused": f"it takes more memory than the {MEMORY_BYTES >> 30} GB that a trial of it may have"
        }
    except TrackingError as error:
        answer = {"refused": str(error)}
    except Exception as error:  # of a library that has met what it was not written for
        reason = " ".join(str(error).split())[:300]
        answer = {"refused": f"it loads and cannot predict its example ({type(error).__name__}: {reason})"}
    left = memoryview(json.dumps(answer).encode())
    while left:
        left = left[os.write(answers, left) :]
    os._exit(0)


def _tried() -> dict[str, Any]:
    # By position: the one that the descriptor has belongs to our parent too.
    with os.fdopen(os.dup(0), "rb") as file:
        file.seek(0)
        said = json.loads(file.readline())
        example, data = file.read(said["size"]), file.read()
    rows, logged = decode_example(example)
    model = load_format(data, said["details"], said["where"])
    found = difference(plain_predictions(model.predict(rows)), logged)
    told = f"loads, and predicts its {len(logged)} logged rows again (numbers within {RELATIVE:g})"
    return {"same": not found, "found": found or told}


def difference(predicted: list[Any], logged: list[Any]) -> str:
    """Return the first difference between predictions in a sentence, empty where there is none.

    Numbers are the same where numpy.allclose says so, missing values where both are; all else where it is equal.
    """
    if len(predicted) != len(logged):
        return f"it loads and predicts {len(predicted)} values for the example, not the {len(logged)} that were logged"
    for place, (new, old) in enumerate(zip(predicted, logged, strict=True), start=1):
        if not _same(new, old):
            return f"it loads and predicts {new!r:.80} for row {place} of the example; {old!r:.80} was logged"
    return ""


def _same(new: Any, old: Any) -> bool:
    if isinstance(new, list) and isinstance(old, list):
        return len(new) == len(old) and all(_same(*pair) for pair in zip(new, old, strict=True))
    if _is_number(new) and _is_number(old):
        if isinstance(new, int) and isinstance(old, int):
            return new == old
        return math.isfinite(new) and abs(new - old) <= ABSOLUTE + RELATIVE * abs(old)
    return type(new) is type(old) and bool(new == old)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _bound_this_process() -> None:
    """Take from this process what the system lets it give away: memory, time, files of its remains."""
    signal.alarm(2 * int(SECONDS))
    with contextlib.suppress(ImportError):
        import resource

        bounds = (
            (resource.RLIMIT_AS, MEMORY_BYTES),
            (resource.RLIMIT_CPU, int(SECONDS)),
            (resource.RLIMIT_CORE, 0),
        )
        for kind, wanted in bounds:
            with contextlib.suppress(OSError, ValueError):
                hard = resource.getrlimit(kind)[1]
                limit = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
                resource.setrlimit(kind, (limit, limit))


if __name__ == "__main__":
    main()
