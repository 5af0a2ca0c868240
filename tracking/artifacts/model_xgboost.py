"""Models of XGBoost as its own JSON, whose trees are looked at before XGBoost's compiled code follows them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tracking.artifacts.xgboost_json import canonical
from tracking.errors import InvalidValue, MissingDependency

CLASSES = ("XGBClassifier", "XGBRegressor", "XGBRFClassifier", "XGBRFRegressor", "XGBRanker")


class XGBoostAdapter:
    """XGBClassifier and its relatives, with trees (`gbtree`) of numbers and categories by number."""

    name = "xgboost-json"
    extension = ".xgboost.json"
    media_type = "application/json"
    packages: tuple[str, ...] = ("xgboost", "xgboost-cpu", "numpy", "scipy", "scikit-learn")
    script = "import xgboost\nmodel = getattr(xgboost, classname)()\nmodel.load_model(bytearray(data))"

    def can_save(self, model: Any) -> bool:
        """Return whether it is exactly one of XGBoost's classes: a class of one's own would not come back."""
        kind = type(model)
        return kind.__module__ == "xgboost.sklearn" and kind.__name__ in CLASSES

    def save(self, model: Any) -> bytes:
        """Return the model as JSON; raises InvalidValue for one that is not fitted or that `load` would refuse."""
        kind = type(model).__name__
        try:
            data = bytes(model.get_booster().save_raw("json"))
        except Exception as error:  # of XGBoost; NotFittedError is one
            raise InvalidValue(f"This {kind} cannot be kept: {' '.join(str(error).split())[:200]}") from None
        try:
            return canonical(data)
        except InvalidValue as error:
            raise InvalidValue(f"This {kind} would not be read back: {error}") from None

    def load(self, data: bytes, details: Mapping[str, Any], *, trust: bool) -> Any:
        """Return the model; raises InvalidValue for what XGBoost did not write, whatever `trust` says."""
        said = details.get("class")
        kind = said.rpartition(".")[2] if isinstance(said, str) else ""
        if kind not in CLASSES:
            raise InvalidValue(f"it is said to be a {said!r:.80}, which is none of {', '.join(CLASSES)}.")
        if canonical(data) != data:
            raise InvalidValue(
                "it is not in the form that log_model writes, which is the only one that is read."
            )
        try:
            import xgboost
        except ImportError:
            raise MissingDependency("This model needs XGBoost: pip install xgboost") from None
        model = getattr(xgboost, kind)()
        try:
            model.load_model(bytearray(data))
        except Exception as error:  # of XGBoost, which reads the rest
            raise InvalidValue(f"XGBoost refuses it: {' '.join(str(error).split())[:200]}") from None
        return model
