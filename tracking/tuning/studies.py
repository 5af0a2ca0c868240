"""Making studies on a store: `tracking.create_study` and `tracking.study_storage`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tracking.config import StoreLocation, locate_store, tracking_is_off
from tracking.errors import InvalidValue, MissingDependency

try:
    import optuna
    from optuna.storages import BaseStorage, InMemoryStorage
    from optuna.study import StudyDirection
except ImportError as error:
    raise MissingDependency(
        "Studies need Optuna, and it is not installed: pip install 'optuna>=5'"
    ) from error

from tracking.tuning.storage import StudyStorage

if TYPE_CHECKING:
    from tracking.store import Store

_DIRECTIONS = {"minimize": StudyDirection.MINIMIZE, "maximize": StudyDirection.MAXIMIZE}


def study_storage(store: Store | str | os.PathLike[str] | None = None) -> BaseStorage:
    """Return the Optuna storage on a store, for `optuna.create_study(storage=…)` and everything that takes one.

    While `TRACKING_OFF` is set it is one in memory, so that scripts run as they are and nothing is kept.

    Args:
        store: An open store or its folder; left out, as in `tracking.open_store`.

    Raises:
        MissingDependency: Optuna is not installed.
        StoreError: The store cannot be opened.
    """
    if tracking_is_off():
        return InMemoryStorage()
    location = getattr(store, "location", None)
    if isinstance(location, StoreLocation):
        return StudyStorage(location)
    return StudyStorage(locate_store(store))  # type: ignore[arg-type]


def create_study(
    name: str | None = None,
    *,
    direction: str | StudyDirection | None = None,
    directions: Sequence[str | StudyDirection] | None = None,
    metric_names: Sequence[str] | None = None,
    sampler: optuna.samplers.BaseSampler | None = None,
    pruner: optuna.pruners.BasePruner | None = None,
    store: Store | str | os.PathLike[str] | None = None,
    load_if_exists: bool = False,
    experiment: str | None = None,
) -> optuna.Study:
    """Return an Optuna study that is kept in a store; every trial of it is a run there.

    It is a plain `optuna.Study`: `optimize`, `ask` and `tell` work as always, also from several processes
    that open the same study. A trial's params are the run's; what `trial.report` says is the metric
    `intermediate_value`; the values are the metric `value` (`values.0`, … of several objectives), or those that
    `metric_names` says.

    Args:
        name: Of the study; made up when None.
        direction: "minimize" (when nothing is said) or "maximize".
        directions: One per objective, in place of `direction`.
        metric_names: What the objectives are called, one each.
        sampler: Optuna's default when None.
        pruner: Optuna's default when None.
        store: An open store or its folder; left out, as in `tracking.open_store`.
        load_if_exists: Go on with the study of that name when there is one.
        experiment: Where the runs go; named after the study when None.

    Raises:
        DuplicatedStudyError: There is a study of that name, and `load_if_exists` is not set (Optuna's).
        InvalidValue: A direction or name makes no sense, or differs from that of the study that exists.
        MissingDependency: Optuna is not installed.
        StoreError: The store cannot be opened.
    """
    wanted = _checked_directions(direction, directions)
    if metric_names is not None:
        metric_names = list(metric_names)
        if len(metric_names) != len(wanted) or not all(isinstance(each, str) for each in metric_names):
            one = "the one objective" if len(wanted) == 1 else f"each of the {len(wanted)} objectives"
            raise InvalidValue(f"metric_names={metric_names!r} must name {one} with a string.")
    storage = study_storage(store)
    try:
        if isinstance(storage, StudyStorage):
            number = storage.create_new_study(wanted, name, experiment=experiment)
        else:
            number = storage.create_new_study(wanted, name)
        made = True
    except optuna.exceptions.DuplicatedStudyError:
        if not load_if_exists or name is None:
            raise
        number, made = storage.get_study_id_from_name(name), False
        stands = storage.get_study_directions(number)
        if (direction is not None or directions is not None) and stands != wanted:
            raise InvalidValue(
                f"The study {name!r} exists with directions {_names(stands)}, not {_names(wanted)}. "
                "Leave the direction out, or take another name."
            ) from None
    study = optuna.Study(storage.get_study_name_from_id(number), storage, sampler=sampler, pruner=pruner)
    if made and metric_names is not None:
        storage.set_study_system_attr(number, "study:metric_names", metric_names)
    return study


def _checked_directions(
    direction: str | StudyDirection | None, directions: Sequence[str | StudyDirection] | None
) -> list[StudyDirection]:
    if direction is not None and directions is not None:
        raise InvalidValue("Give direction= for one objective or directions= for several, not both.")
    if directions is None:
        directions = ["minimize" if direction is None else direction]
    elif isinstance(directions, str):
        raise InvalidValue(f"directions={directions!r} must be a list. For one objective: direction=.")
    found = []
    for each in directions:
        known = each if isinstance(each, StudyDirection) else _DIRECTIONS.get(str(each))
        if known is None or known not in _DIRECTIONS.values():
            raise InvalidValue(f'A direction is "minimize" or "maximize", not {each!r}.')
        found.append(known)
    if not found:
        raise InvalidValue("directions=[] names no objective. Give one direction for each.")
    return found


def _names(directions: Sequence[StudyDirection]) -> str:
    return ", ".join(direction.name.lower() for direction in directions)
