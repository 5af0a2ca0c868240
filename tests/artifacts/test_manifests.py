"""Lists of files: what is written is read back, and whatever else is read is refused by rule."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracking.artifacts import manifests
from tracking.artifacts.manifests import Manifest
from tracking.errors import InvalidValue
from tracking.records import ArtifactFile

plain = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=8)
paths = st.lists(plain, min_size=1, max_size=4).map("/".join)
digests = st.binary(min_size=32, max_size=32).map(bytes.hex)
entries = st.builds(ArtifactFile, paths, digests, st.integers(0, 1 << 50), st.integers(0, 0o777))
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["format", "files", "folders", "skipped", "path", "digest", "size"]), inner
        )
    ),
    max_leaves=12,
)


def disjoint(files: list[ArtifactFile]) -> bool:
    names = {file.path for file in files}
    return not any(path.startswith(f"{other}/") for path in names for other in names)


@given(st.lists(entries, max_size=8, unique_by=lambda file: file.path).filter(disjoint))
def test_a_list_comes_back_and_has_one_form_only(files: list[ArtifactFile]) -> None:
    data = manifests.to_bytes(Manifest(tuple(files), (), (("odd\\name", "why"),)))
    assert data.startswith(manifests.BEGINNING)
    back = manifests.from_bytes(data)
    assert set(back.files) == set(files)
    assert back.skipped == (("odd\\name", "why"),)
    assert manifests.to_bytes(back) == data
    assert manifests.to_bytes(Manifest(tuple(reversed(files)), (), back.skipped)) == data


@given(anything, st.booleans())
def test_anything_else_is_refused_and_nothing_more(content: object, right_format: bool) -> None:
    if right_format and isinstance(content, dict):
        content = {**content, "format": 1}
    try:
        manifest = manifests.from_bytes(json.dumps(content).encode())
    except InvalidValue:
        return
    assert isinstance(content, dict) and len(manifest.files) == len(content["files"])


@pytest.mark.parametrize("data", [b"", b"\xff", b"{", b"[" * 100_000, b'{"format":1}', b"null"])
def test_bytes_that_are_no_list_are_refused(data: bytes) -> None:
    with pytest.raises(InvalidValue):
        manifests.from_bytes(data)
