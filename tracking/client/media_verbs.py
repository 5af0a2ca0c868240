"""The verbs of `Run` for figures, tables, images, texts, sound and what is drawn of classifiers."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from tracking.client.carrying import carry_bytes
from tracking.client.guarding import GuardedVerbs
from tracking.errors import InvalidValue
from tracking.records import ArtifactKind
from tracking.validation import checked_step

if TYPE_CHECKING:
    from tracking.client.media.encoded import Encoded


class MediaVerbs(GuardedVerbs):
    """Rich values into the store, encoded before the verb returns: what changes later does not reach them.

    Every verb takes a `name` as `log_artifact` does and a `step`, by which a value is followed over the training;
    logged again under one name and step, the later one shows. A value that cannot be kept is left out with one
    warning; with `strict=True` it raises InvalidValue, or MissingDependency where a package is needed.
    """

    def log_figure(self, figure: Any, name: str, *, step: int | None = None) -> None:
        """Log a Plotly figure as data, or a Matplotlib figure as a PNG with its SVG beside it for download.

        The figure is neither changed nor closed. On the run's page a Plotly figure is drawn without maps,
        links and remote images.

        Args:
            figure: Of Plotly (its dict will do), up to 24 MB as JSON; or of Matplotlib, also one of its axes.
            name: The artifact's name.
            step: What it belongs to.
        """
        from tracking.client.media.figures import encode_figure

        self._media("log_figure", name, step, lambda: encode_figure(figure, self._notices.once))

    def log_table(
        self, table: Any = None, name: str | None = None, *, step: int | None = None, **unknown: Any
    ) -> None:
        """Log a table; kept as Parquet, which needs pyarrow.

        Args:
            table: A data frame of pandas, polars or whatever speaks Arrow, a dict of columns, a list of dicts,
                a structured or two-dimensional array. An index is kept when it has a name. Of a column whose values
                share no type, each becomes a text; of columns of one name the second is "name (2)".
            name: The artifact's name.
            step: What it belongs to.
            **unknown: Other arguments, such as other trackers' `columns=` and `data=`, are named in a warning.
        """
        from tracking.client.media.tables import check_arguments, encode_table

        if name is None or unknown:
            self._guarded("log_table", lambda: check_arguments(name, unknown))
            return
        self._media("log_table", name, step, lambda: encode_table(table))

    def log_image(self, image: Any, name: str, *, step: int | None = None) -> None:
        """Log an image; kept as PNG, a PNG, JPEG, GIF or WebP file as it is.

        Args:
            image: An array of shape (height, width) or (height, width, channels) with 1, 3 (RGB) or 4 (RGBA)
                channels; a tensor also with the channels first; an image of Pillow; or a path. Whole numbers are
                taken as 0 to 255, fractions as 0 to 1, truth values as black and white. What lies beyond is cut off
                and NaN becomes black, with one warning.
            name: The artifact's name.
            step: What it belongs to.
        """
        from tracking.client.media.images import encode_image

        self._media("log_image", name, step, lambda: encode_image(image, self._notices.once))

    def log_text(self, text: str, name: str, *, step: int | None = None) -> None:
        """Log a text, kept as UTF-8."""
        from tracking.client.media.texts import encode_text

        self._media("log_text", name, step, lambda: encode_text(text, name))

    def log_json(self, value: Any, name: str, *, step: int | None = None) -> None:
        """Log a value as strict JSON.

        Args:
            value: Nested dicts, lists, dataclasses, numbers, texts, arrays and dates. NaN and infinities become
                the strings "nan", "inf" and "-inf", for which JSON has no numbers.
            name: The artifact's name.
            step: What it belongs to.
        """
        from tracking.client.media.texts import encode_json

        self._media("log_json", name, step, lambda: encode_json(value))

    def log_audio(
        self,
        audio: Any,
        name: str,
        *,
        rate: int | None = None,
        step: int | None = None,
    ) -> None:
        """Log sound; samples are kept as WAV, a WAV, MP3, Ogg or FLAC file as it is.

        Args:
            audio: A path; or samples of shape (n,), (n, channels) or (channels, n): fractions from -1 to 1
                (kept with 16 bits), int16, int32 or uint8.
            name: The artifact's name.
            rate: Samples per second, for samples.
            step: What it belongs to.
        """
        from tracking.client.media.audio import encode_audio

        self._media("log_audio", name, step, lambda: encode_audio(audio, rate, self._notices.once))

    def log_confusion_matrix(
        self,
        y_true: Any = None,
        y_pred: Any = None,
        name: str = "confusion_matrix",
        *,
        labels: Sequence[Any] | None = None,
        matrix: Any = None,
        step: int | None = None,
    ) -> None:
        """Log a confusion matrix as data: how many examples of each class were taken for which.

        Args:
            y_true: The class of each example, shape (n,).
            y_pred: What it was taken for, shape (n,).
            name: The artifact's name.
            labels: The classes in order; left out, those that occur, sorted. For classes 0 to k - 1, k names.
            matrix: Instead of y_true and y_pred, the counts themselves, shape (k, k), a row a true class.
            step: What it belongs to.
        """
        from tracking.client.media.confusion import encode_confusion

        self._media(
            "log_confusion_matrix", name, step, lambda: encode_confusion(y_true, y_pred, labels, matrix)
        )

    def log_roc_curve(
        self,
        y_true: Any,
        y_score: Any,
        name: str = "roc_curve",
        *,
        labels: Sequence[Any] | None = None,
        pos_label: Any = None,
        step: int | None = None,
    ) -> None:
        """Log the ROC curve of a binary classifier, or one for each of several classes against the rest.

        Kept are up to 1,000 points a curve and the exact area under it; examples of equal score count as one step.

        Args:
            y_true: The class of each example, shape (n,).
            y_score: Shape (n,), the higher the more likely of the positive class; or (n, k), a column a class.
            name: The artifact's name.
            labels: The classes in the order of the columns; left out, those that occur, sorted. For classes 0 to
                k - 1, k names.
            pos_label: Of a binary problem whose classes are not 0 and 1 or -1 and 1: the class of high scores.
            step: What it belongs to.
        """
        self._curves(ArtifactKind.ROC_CURVE, y_true, y_score, name, labels, pos_label, step)

    def log_pr_curve(
        self,
        y_true: Any,
        y_score: Any,
        name: str = "pr_curve",
        *,
        labels: Sequence[Any] | None = None,
        pos_label: Any = None,
        step: int | None = None,
    ) -> None:
        """Log precision over recall and the average precision; for the arguments see `log_roc_curve`."""
        self._curves(ArtifactKind.PR_CURVE, y_true, y_score, name, labels, pos_label, step)

    def _curves(
        self,
        kind: ArtifactKind,
        y_true: Any,
        y_score: Any,
        name: str,
        labels: Sequence[Any] | None,
        pos_label: Any,
        step: int | None,
    ) -> None:
        from tracking.client.media.curves import encode_curves

        verb = "log_roc_curve" if kind is ArtifactKind.ROC_CURVE else "log_pr_curve"
        self._media(
            verb,
            name,
            step,
            lambda: encode_curves(kind, y_true, y_score, labels, pos_label, self._notices.once),
        )

    def _media(self, verb: str, name: str, step: int | None, encode: Callable[[], Encoded]) -> None:
        self._carried(verb, lambda: self._carry_encoded(verb, name, step, encode))

    def _carry_encoded(self, verb: str, name: str, step: int | None, encode: Callable[[], Encoded]) -> None:
        from tracking.artifacts.names import checked_artifact_name

        if isinstance(name, os.PathLike) or not isinstance(name, str):
            raise InvalidValue(f"{verb} takes a name as text, such as {verb}(…, 'sample'), not {name!r:.80}.")
        checked = checked_artifact_name(name)
        at = None if step is None else checked_step(step)
        encoded = encode()
        event: dict[str, Any] = {"t": "artifact", "name": checked, "step": at, "files": 1}
        said = {"kind": encoded.kind.value, "media": encoded.media, "details": encoded.details}
        carry_bytes(self._session, {**event, **said}, encoded.data)
        if encoded.source is not None:
            extension, media, data = encoded.source
            beside = {"kind": "file", "media": media, "details": {"source_of": checked}}
            beside["name"] = checked_artifact_name(checked + extension)
            carry_bytes(self._session, {**event, **beside}, data)
