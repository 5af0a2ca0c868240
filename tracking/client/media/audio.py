"""Sound out of samples and files."""

from __future__ import annotations

import io
import os
import wave
from pathlib import Path
from typing import Any

from tracking.client.media.arrays import as_array
from tracking.client.media.encoded import Encoded, Tell
from tracking.errors import InvalidValue
from tracking.records import ArtifactKind

FILE_BYTES = 32 << 20
CHANNELS = 16


def encode_audio(audio: Any, rate: int | None, tell: Tell) -> Encoded:
    """Return samples as WAV, a file that is sound as it is.

    Raises:
        InvalidValue: It is no sound, or a sample rate is missing.
    """
    if isinstance(audio, (str, os.PathLike)):
        return _from_file(audio)
    try:
        hertz = 0 if rate is None or isinstance(rate, (bool, str, bytes)) else int(rate)
        known = 1 <= hertz <= 1_000_000 and hertz == rate
    except (TypeError, ValueError, OverflowError):
        known = False
    if not known:
        raise InvalidValue(f"rate={rate!r:.80}: samples need their rate in Hz, for example rate=16000.")
    return _from_samples(audio, hertz, tell)


def _from_samples(audio: Any, rate: int, tell: Tell) -> Encoded:
    import numpy as np

    samples = as_array(audio, "sound")
    if samples.ndim == 2 and samples.shape[0] <= CHANNELS < samples.shape[1]:
        samples = samples.T  # channels first, as tensors have it
    if samples.ndim == 1:
        samples = samples[:, np.newaxis]
    if samples.ndim != 2 or not 0 < samples.shape[1] <= CHANNELS or not len(samples):
        raise InvalidValue(
            f"sound has the shape (samples,), (samples, channels) or (channels, samples), with up to {CHANNELS} "
            f"channels, not {samples.shape}."
        )
    if samples.dtype.kind == "f":
        if not np.isfinite(samples).all():
            tell("audio nan", "sound holds NaN or infinities; NaN becomes silence, infinities full volume.")
        peak = float(np.nanmax(np.abs(samples), initial=0.0))
        if peak > 1:
            tell("audio range", f"sound reaches {peak:.4g}; what lies beyond -1 to 1 is cut off.")
        scaled = np.rint(np.clip(np.nan_to_num(samples.astype(np.float64)), -1, 1) * 32767)
        samples = scaled.astype(np.int16)
    elif samples.dtype not in (np.uint8, np.int16, np.int32):
        raise InvalidValue(f"sound is of float (-1 to 1), int16, int32 or uint8, not {samples.dtype}.")
    plain = np.ascontiguousarray(samples, samples.dtype.newbyteorder("<"))
    sink = io.BytesIO()
    with wave.open(sink, "wb") as writer:
        writer.setnchannels(plain.shape[1])
        writer.setsampwidth(plain.itemsize)
        writer.setframerate(rate)
        writer.writeframes(plain.tobytes())
    if len(sink.getvalue()) > FILE_BYTES:
        raise InvalidValue(f"sound of {len(sink.getvalue()):,} bytes is longer than {FILE_BYTES:,}.")
    details = {"extension": ".wav", "rate": rate, "channels": plain.shape[1], "seconds": len(plain) / rate}
    return Encoded(ArtifactKind.AUDIO, "audio/wav", sink.getvalue(), details)


def _from_file(path: str | os.PathLike[str]) -> Encoded:
    from tracking.artifacts.media import classify
    from tracking.client.media.files import read_file

    data = read_file(path, FILE_BYTES)
    kind, media = classify(Path(path).name, data[:8192])
    if kind is not ArtifactKind.AUDIO:
        raise InvalidValue(
            f"{os.fspath(path)!r:.200} is no WAV, MP3, Ogg or FLAC file. Any file is kept by log_artifact."
        )
    return Encoded(
        ArtifactKind.AUDIO, media, data, {"extension": Path(path).suffix} if Path(path).suffix else {}
    )
