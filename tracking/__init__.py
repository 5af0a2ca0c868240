"""Podium: log a training run, watch it, compare it.

    import tracking

    with tracking.start_run("digits", params={"lr": 0.1}) as run:
        for epoch in range(10):
            run.log({"loss": 1 / (epoch + 1)}, step=epoch)

A name is loaded when it is first used: `import tracking` costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module

# Not from typing: `python -m tracking` comes here before `tracking.__main__` can take the working directory off
# `sys.path`, and what it imports until then may be a file of the project's.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from tracking.artifacts.model_adapters import register_adapter as register_adapter
    from tracking.client.run import Run as Run
    from tracking.client.start import start_run as start_run
    from tracking.client.verbs import active_run as active_run
    from tracking.client.verbs import define_metric as define_metric
    from tracking.client.verbs import define_repeat as define_repeat
    from tracking.client.verbs import finish as finish
    from tracking.client.verbs import log as log
    from tracking.client.verbs import log_artifact as log_artifact
    from tracking.client.verbs import log_audio as log_audio
    from tracking.client.verbs import log_confusion_matrix as log_confusion_matrix
    from tracking.client.verbs import log_dataset as log_dataset
    from tracking.client.verbs import log_figure as log_figure
    from tracking.client.verbs import log_image as log_image
    from tracking.client.verbs import log_json as log_json
    from tracking.client.verbs import log_model as log_model
    from tracking.client.verbs import log_params as log_params
    from tracking.client.verbs import log_pr_curve as log_pr_curve
    from tracking.client.verbs import log_roc_curve as log_roc_curve
    from tracking.client.verbs import log_table as log_table
    from tracking.client.verbs import log_text as log_text
    from tracking.client.verbs import set_notes as set_notes
    from tracking.client.verbs import set_tags as set_tags
    from tracking.errors import ArtifactDamaged as ArtifactDamaged
    from tracking.errors import FilterError as FilterError
    from tracking.errors import InvalidDefinition as InvalidDefinition
    from tracking.errors import InvalidValue as InvalidValue
    from tracking.errors import MissingDependency as MissingDependency
    from tracking.errors import NotAllowed as NotAllowed
    from tracking.errors import NotFound as NotFound
    from tracking.errors import PromotionRefused as PromotionRefused
    from tracking.errors import RunStateError as RunStateError
    from tracking.errors import StillNeeded as StillNeeded
    from tracking.errors import StoreBusy as StoreBusy
    from tracking.errors import StoreDamaged as StoreDamaged
    from tracking.errors import StoreError as StoreError
    from tracking.errors import StoreFull as StoreFull
    from tracking.errors import StoreTooNew as StoreTooNew
    from tracking.errors import TrackingError as TrackingError
    from tracking.errors import TrackingWarning as TrackingWarning
    from tracking.records import ArtifactFile as ArtifactFile
    from tracking.records import ArtifactKind as ArtifactKind
    from tracking.records import ArtifactRecord as ArtifactRecord
    from tracking.records import CaptureRecord as CaptureRecord
    from tracking.records import ConsoleText as ConsoleText
    from tracking.records import DatasetRecord as DatasetRecord
    from tracking.records import Goal as Goal
    from tracking.records import RunRecord as RunRecord
    from tracking.records import RunStatus as RunStatus
    from tracking.registry_records import Evidence as Evidence
    from tracking.registry_records import EvidencePoint as EvidencePoint
    from tracking.registry_records import Gate as Gate
    from tracking.registry_records import GateKind as GateKind
    from tracking.registry_records import GateResult as GateResult
    from tracking.registry_records import JournalEntry as JournalEntry
    from tracking.registry_records import JournalKind as JournalKind
    from tracking.registry_records import ModelRecord as ModelRecord
    from tracking.registry_records import PromotionCheck as PromotionCheck
    from tracking.registry_records import RegistryReport as RegistryReport
    from tracking.registry_records import Verdict as Verdict
    from tracking.registry_records import VersionRecord as VersionRecord
    from tracking.store import Store as Store
    from tracking.store import load_model as load_model
    from tracking.store import open_store as open_store
    from tracking.store_care import restore_backup as restore_backup
    from tracking.study_records import StudyRecord as StudyRecord
    from tracking.study_records import TrialRecord as TrialRecord
    from tracking.sweep_records import BestTrial as BestTrial
    from tracking.sweep_records import FailureGroup as FailureGroup
    from tracking.sweep_records import SweepEdit as SweepEdit
    from tracking.sweep_records import SweepObjective as SweepObjective
    from tracking.sweep_records import SweepRecord as SweepRecord
    from tracking.sweep_records import SweepState as SweepState
    from tracking.sweep_records import SweepWorker as SweepWorker
    from tracking.tuning.studies import create_study as create_study
    from tracking.tuning.studies import study_storage as study_storage
    from tracking.tuning.targets.tunable import tunable as tunable

# The client's names come from one module, so that what a forked child may need is loaded with `start_run`:
# importing in a child can wait for ever for a lock that a thread of its parent held.
_HOME = {
    "ArtifactDamaged": "errors",
    "ArtifactFile": "records",
    "ArtifactKind": "records",
    "ArtifactRecord": "records",
    "BestTrial": "sweep_records",
    "CaptureRecord": "records",
    "ConsoleText": "records",
    "DatasetRecord": "records",
    "Evidence": "registry_records",
    "EvidencePoint": "registry_records",
    "FailureGroup": "sweep_records",
    "FilterError": "errors",
    "Gate": "registry_records",
    "GateKind": "registry_records",
    "GateResult": "registry_records",
    "Goal": "records",
    "InvalidDefinition": "errors",
    "InvalidValue": "errors",
    "JournalEntry": "registry_records",
    "JournalKind": "registry_records",
    "MissingDependency": "errors",
    "ModelRecord": "registry_records",
    "NotAllowed": "errors",
    "NotFound": "errors",
    "PromotionCheck": "registry_records",
    "PromotionRefused": "errors",
    "RegistryReport": "registry_records",
    "Run": "client.verbs",
    "RunRecord": "records",
    "RunStateError": "errors",
    "RunStatus": "records",
    "StillNeeded": "errors",
    "Store": "store",
    "StoreBusy": "errors",
    "StoreDamaged": "errors",
    "StoreError": "errors",
    "StoreFull": "errors",
    "StoreTooNew": "errors",
    "StudyRecord": "study_records",
    "SweepEdit": "sweep_records",
    "SweepObjective": "sweep_records",
    "SweepRecord": "sweep_records",
    "SweepState": "sweep_records",
    "SweepWorker": "sweep_records",
    "TrackingError": "errors",
    "TrackingWarning": "errors",
    "TrialRecord": "study_records",
    "Verdict": "registry_records",
    "VersionRecord": "registry_records",
    "active_run": "client.verbs",
    "create_study": "tuning.studies",
    "define_metric": "client.verbs",
    "define_repeat": "client.verbs",
    "finish": "client.verbs",
    "load_model": "store",
    "log": "client.verbs",
    "log_artifact": "client.verbs",
    "log_audio": "client.verbs",
    "log_confusion_matrix": "client.verbs",
    "log_dataset": "client.verbs",
    "log_figure": "client.verbs",
    "log_image": "client.verbs",
    "log_json": "client.verbs",
    "log_model": "client.verbs",
    "log_params": "client.verbs",
    "log_pr_curve": "client.verbs",
    "log_roc_curve": "client.verbs",
    "log_table": "client.verbs",
    "log_text": "client.verbs",
    "open_store": "store",
    "register_adapter": "artifacts.model_adapters",
    "restore_backup": "store_care",
    "set_notes": "client.verbs",
    "set_tags": "client.verbs",
    "start_run": "client.verbs",
    "study_storage": "tuning.studies",
    "tunable": "tuning.targets.tunable",
}

__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    if name in _HOME:
        value = getattr(import_module(f"tracking.{_HOME[name]}"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'tracking' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(__all__))
