"""`Run.log_model`."""

from __future__ import annotations

import hashlib
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
        """Log a fitted model: an estimator of scikit-learn as a skops file, which needs skops; one of XGBoost as JSON.

        Such files are read back without unpickling: they are made of the library's own parts and numbers. With them
        are kept the class and the versions of the libraries. Models of other frameworks are kept by an adapter, see
        `tracking.register_adapter`.

        Args:
            model: An estimator or a pipeline, fitted. Functions and classes of your own in it are refused, by name.
            name: The artifact's name.
            input_example: A few rows that the model predicts: a data frame, a list of dicts, a list of texts, or an
                array of shape (rows, columns). They are kept beside the model, with its predictions, as
                `<name>.example.json`; up to 100. From them comes the signature: names, types and shapes of what the
                model takes and gives.
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
        shown = None if example is None else model_examples.take_example(model, example)
        event: dict[str, Any] = {"t": "artifact", "step": at, "files": 1}
        if shown is not None:
            # First, so that a model that is there has its example.
            said: dict[str, Any] = {"name": beside, "kind": ArtifactKind.JSON.value}
            said |= {"media": model_examples.MEDIA, "details": {"source_of": checked}}
            carry_bytes(self._session, {**event, **said}, shown.data)
        details = dict(encoded.details)
        if shown is not None:
            # By digest too: another model of this name may come, with another example.
            digest = hashlib.sha256(shown.data).hexdigest()
            details |= {"example": beside, "example_digest": digest, "signature": shown.signature}
            if shown.is_frame:
                details["versions"] = {**details["versions"], **models.versions_of(("pandas",))}
        said = {"name": checked, "kind": ArtifactKind.MODEL.value, "media": encoded.media, "details": details}
        carry_bytes(self._session, {**event, **said}, encoded.data)
