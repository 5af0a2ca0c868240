"""Artifacts out of the store: never outside the target, never over a file unasked, whole or not at all.

Every folder below the target is entered by descriptor and never through a link; bytes go to a temporary
file beside their place, are hashed on the way, and get their name when they are right.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import shutil
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tracking.artifacts.names import checked_artifact_name
from tracking.artifacts.objects import Objects
from tracking.artifacts.placement import Content, placed
from tracking.artifacts.reading import located, manifest_of
from tracking.errors import InvalidValue, TrackingError
from tracking.records import ArtifactFile, ArtifactKind, ArtifactRecord

_TEMPORARY = ".podium-"
_EXTENSION = re.compile(r"(\.[A-Za-z0-9_]{1,15}){1,2}")
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_TARGET = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def download_artifact(objects: Objects, record: ArtifactRecord, target: Path, *, force: bool = False) -> Path:
    """Write an artifact below `target` under its name; returns where.

    Args:
        objects: Of the store.
        record: The artifact.
        target: A folder; made when absent, and followed when it is a link itself.
        force: Over files that are there; a folder's other files stay.

    Raises:
        InvalidValue: The name could lead outside, something is there already, or a link is in the way.
        NotFound: Bytes are missing.
        ArtifactDamaged: Bytes are not those that were logged; nothing of that file is left behind.
        TrackingError: The disk refuses.
    """
    name = checked_artifact_name(download_name(record))
    try:
        target.mkdir(parents=True, exist_ok=True)
        with _opened(os.open(target, _TARGET)) as top:
            _write(objects, record, top, name, force=force)
    except OSError as error:
        raise TrackingError(
            f"{record.name!r} of run {record.run} cannot be written to {target} ({error})."
        ) from error
    return target / name


def download_artifacts(
    objects: Objects, records: Sequence[ArtifactRecord], target: Path, *, force: bool = False
) -> list[tuple[ArtifactRecord, str]]:
    """Write artifacts below `target`, those of a step with it in their names: all of them or none.

    They are written into a folder beside their places first, and moved when each is whole and nothing is in
    the way of any. Where their names cannot be beside each other they are placed as `placement.placed` says.

    Args:
        objects: Of the store.
        records: The artifacts.
        target: As in `download_artifact`.
        force: Over files that are there; other files stay.

    Returns:
        The artifacts that got another name, with that name.

    Raises:
        InvalidValue, NotFound, ArtifactDamaged, TrackingError: As in `download_artifact`; `target` is as it was.
    """
    contents = [_content(objects, record) for record in records]
    placings = placed(contents)
    try:
        target.mkdir(parents=True, exist_ok=True)
        with _opened(os.open(target, _TARGET)) as top:
            draft = _TEMPORARY + os.urandom(8).hex()
            os.mkdir(draft, 0o755, dir_fd=top)
            try:
                with _opened(os.open(draft, _FOLDER, dir_fd=top)) as whole:
                    for content, place in placings:
                        _write(objects, content.record, whole, place, force=False)
                    kept = frozenset() if force else frozenset(_wholes(placings))
                    _check_free(whole, top, "", kept, force=force)
                    _move(whole, top, force=force)
            finally:
                shutil.rmtree(draft, ignore_errors=True, dir_fd=top)
    except OSError as error:
        raise TrackingError(f"The artifacts cannot be written to {target} ({error}).") from error
    return [(content.record, place) for content, place in placings if place != content.name]


def _content(objects: Objects, record: ArtifactRecord) -> Content:
    name = checked_artifact_name(download_name(record, with_step=True))
    if record.kind is not ArtifactKind.FOLDER:
        return Content(record, name)
    manifest = manifest_of(objects, record)
    return Content(record, name, tuple(file.path for file in manifest.files), manifest.folders)


def _wholes(placings: Sequence[tuple[Content, str]]) -> Iterator[str]:
    for content, place in placings:
        if content.files is not None:
            yield place


def _check_free(source: int, target: int, prefix: str, wholes: frozenset[str], *, force: bool) -> None:
    """Raise when something in `target` is in the way of what is in `source`.

    Args:
        source: A folder, open.
        target: Where its content is to go, open.
        prefix: Of both, below the top.
        wholes: Folders that may not be there yet.
        force: Files may be there.
    """
    for name in sorted(os.listdir(source)):
        there = _stat(name, target)
        if there is None:
            continue
        found = os.stat(name, dir_fd=source, follow_symlinks=False)
        path = prefix + name
        if not stat.S_ISDIR(found.st_mode):
            if not force or stat.S_ISDIR(there.st_mode):
                raise _in_the_way(path)
        elif path in wholes:
            raise _in_the_way(path)
        elif not stat.S_ISDIR(there.st_mode):
            raise _no_folder(path, name)
        else:
            with (
                _opened(os.open(name, _FOLDER, dir_fd=source)) as inner,
                _opened(os.open(name, _FOLDER, dir_fd=target)) as outer,
            ):
                _check_free(inner, outer, path + "/", wholes, force=force)


def _move(source: int, target: int, *, force: bool) -> None:
    for name in sorted(os.listdir(source)):
        found = os.stat(name, dir_fd=source, follow_symlinks=False)
        if not stat.S_ISDIR(found.st_mode):
            if force:
                os.replace(name, name, src_dir_fd=source, dst_dir_fd=target)
            else:
                _name_anew(name, name, source, target)
        elif _stat(name, target) is None:
            os.rename(name, name, src_dir_fd=source, dst_dir_fd=target)
        else:
            with (
                _opened(os.open(name, _FOLDER, dir_fd=source)) as inner,
                _opened(os.open(name, _FOLDER, dir_fd=target)) as outer,
            ):
                _move(inner, outer, force=force)


def _write(objects: Objects, record: ArtifactRecord, top: int, name: str, *, force: bool) -> None:
    *folders, last = name.split("/")
    with _inside(top, folders, name) as folder:
        if record.kind is ArtifactKind.FOLDER:
            _write_folder(objects, record, folder, last, force=force)
        else:
            where = f"{record.name!r} of run {record.run}"
            _write_file(objects, record.digest, 0o644, folder, last, where, force=force)


def download_name(record: ArtifactRecord, *, with_step: bool = False) -> str:
    """Return the name of an artifact's file outside of the store: with its extension, which a name may lack."""
    name = record.name
    if with_step and record.step is not None:
        name += f".step{record.step}"
    extension = record.details.get("extension")
    if isinstance(extension, str) and _EXTENSION.fullmatch(extension) and not name.endswith(extension):
        name += extension
    return name


def _write_folder(objects: Objects, record: ArtifactRecord, parent: int, name: str, *, force: bool) -> None:
    manifest = manifest_of(objects, record)
    there = _stat(name, parent)
    if there is not None:
        if not force:
            raise _in_the_way(name)
        if not stat.S_ISDIR(there.st_mode):
            raise InvalidValue(f"{name!r} is there and no folder (or a link to one): remove it first.")
        with _opened(os.open(name, _FOLDER, dir_fd=parent)) as folder:
            _fill(objects, record, manifest.files, manifest.folders, folder, force=True)
        return
    temporary = _TEMPORARY + os.urandom(8).hex()
    os.mkdir(temporary, 0o755, dir_fd=parent)
    try:
        with _opened(os.open(temporary, _FOLDER, dir_fd=parent)) as folder:
            _fill(objects, record, manifest.files, manifest.folders, folder, force=False)
        # Over an empty folder that came meanwhile at most; anything else makes it fail.
        os.rename(temporary, name, src_dir_fd=parent, dst_dir_fd=parent)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True, dir_fd=parent)
        raise


def _fill(
    objects: Objects,
    record: ArtifactRecord,
    files: tuple[ArtifactFile, ...],
    folders: tuple[str, ...],
    top: int,
    *,
    force: bool,
) -> None:
    for path in folders:
        with _inside(top, path.split("/"), path):
            pass
    for file in files:
        *parts, last = file.path.split("/")
        where = f"{file.path!r} in {record.name!r} of run {record.run}"
        with _inside(top, parts, file.path) as folder:
            _write_file(objects, file.digest, file.mode, folder, last, where, force=force)


def _write_file(
    objects: Objects, digest: str, mode: int, folder: int, name: str, where: str, *, force: bool
) -> None:
    there = _stat(name, folder)
    if there is not None and (not force or stat.S_ISDIR(there.st_mode)):
        raise _in_the_way(name)
    temporary = _TEMPORARY + os.urandom(8).hex()
    # The user's mask decides about others; of what was logged only "executable" comes back.
    descriptor = os.open(temporary, _NEW, 0o777 if mode & 0o100 else 0o666, dir_fd=folder)
    try:
        with os.fdopen(descriptor, "wb") as file:
            located(where, lambda: objects.copy_to(digest, file))
            file.flush()
            os.fsync(file.fileno())
        if force:
            os.replace(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
        else:
            _name_anew(temporary, name, folder, folder)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary, dir_fd=folder)
        raise


def _name_anew(temporary: str, name: str, source: int, folder: int) -> None:
    """Give a file its name unless something has it, in one step where the file system knows links."""
    try:
        os.link(temporary, name, src_dir_fd=source, dst_dir_fd=folder, follow_symlinks=False)
    except FileExistsError:
        raise _in_the_way(name) from None
    except OSError:
        if _stat(name, folder) is not None:
            raise _in_the_way(name) from None
        os.rename(temporary, name, src_dir_fd=source, dst_dir_fd=folder)
    else:
        os.unlink(temporary, dir_fd=source)


@contextmanager
def _inside(top: int, parts: list[str], whole: str) -> Iterator[int]:
    """Enter a folder below `top`, made when absent; a link in the way is refused."""
    opened = [os.dup(top)]
    try:
        for part in parts:
            with contextlib.suppress(FileExistsError):
                os.mkdir(part, 0o777, dir_fd=opened[-1])
            try:
                opened.append(os.open(part, _FOLDER, dir_fd=opened[-1]))
            except OSError as error:
                if error.errno in (errno.ELOOP, errno.ENOTDIR):
                    raise _no_folder(whole, part) from None
                raise
            # One descriptor at a time, however deep it goes.
            os.close(opened.pop(0))
        yield opened[-1]
    finally:
        for descriptor in opened:
            os.close(descriptor)


@contextmanager
def _opened(descriptor: int) -> Iterator[int]:
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _stat(name: str, folder: int) -> os.stat_result | None:
    try:
        return os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None


def _no_folder(whole: str, part: str) -> InvalidValue:
    return InvalidValue(
        f"{whole!r:.250} cannot be written: {part!r} is there and is a link or a file. Download to another folder."
    )


def _in_the_way(name: str) -> InvalidValue:
    return InvalidValue(
        f"{name!r} is there already and was left as it is. Download to another folder, or say force=True. "
        "(Two names that differ by case only are one on some disks.)"
    )
