"""`Run.log_model`."""

from __future__ import annotations

import os
from typing import Any

from tracking.client.carrying import carry_bytes
from tracking.client.guarding import GuardedVerbs
from tracking.errors import InvalidValue
from tracking.records import ArtifactKind
from tracking.validation import checked_step


class ModelVerbs(GuardedVerbs):
    """Fitted models into the store."""

    def log_model(
        self, model: Any, name: str = "model", *, input_example: Any = None, step: int | None = None
    ) -> None:
        """Log a fitted estimator of scikit-learn; kept as a skops file, which needs skops.

        A skops file is read back without unpickling: it is made of scikit-learn's own parts and numbers. With it are
        kept the estimator's class and the versions of the libraries.

        Args:
            model: An estimator or a pipeline, fitted. Functions and classes of your own in it are refused, by name.
            name: The artifact's name.
            input_example: A few rows that the model predicts: a data frame, or an array of shape (rows, columns).
                They are kept beside the model, with its predictions, as `<name>.example.json`; up to 100.
            step: What it belongs to.

        Raises:
            InvalidValue: Only with `strict=True`: the model holds what would not be read back, or cannot predict its
                example; or MissingDependency. Otherwise the call is left out, with one warning.
        """
        self._carried("log_model", lambda: self._log_model(model, name, input_example, step))

    def _log_model(self, model: Any, name: str, example: Any, step: int | None) -> None:
        from tracking.artifacts import model_examples, models
        from tracking.artifacts.names import checked_artifact_name

        if isinstance(name, os.PathLike) or not isinstance(name, str):
            raise InvalidValue(
                f"log_model takes a name as text, such as log_model(…, 'model'), not {name!r:.80}."
            )
        checked = checked_artifact_name(name)
        beside = checked_artifact_name(checked + model_examples.EXTENSION)
        at = None if step is None else checked_step(step)
        encoded = models.encode_model(model)
        shown = None if example is None else model_examples.encode_example(model, example)
        event: dict[str, Any] = {"t": "artifact", "step": at, "files": 1}
        if shown is not None:
            # First, so that a model that is there has its example.
            said: dict[str, Any] = {"name": beside, "kind": ArtifactKind.JSON.value}
            said |= {"media": model_examples.MEDIA, "details": {"source_of": checked}}
            carry_bytes(self._session, {**event, **said}, shown)
        details = {**encoded.details, **({} if shown is None else {"example": beside})}
        said = {"name": checked, "kind": ArtifactKind.MODEL.value, "media": models.MEDIA, "details": details}
        carry_bytes(self._session, {**event, **said}, encoded.data)
