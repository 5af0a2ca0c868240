"""One rule for artifacts' names: what is refused can never lead anywhere, what is taken comes back as it is."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tracking
from tracking.artifacts.names import checked_artifact_name
from tracking.errors import InvalidValue

REFUSED = [
    "../../etc/passwd",
    "/etc/passwd",
    "..\\..\\x",
    "C:\\x",
    "C:/x",
    "c:x",
    "%2e%2e/x",
    "%2E%2e",
    "%252e%252e/x",
    "a%2f..%2fb",
    "a%5cb",
    "a%00b",
    "a;/../x",
    "x#/../y",
    "file:///etc/passwd",
    "https://example.org/x",
    "a\0b",
    "a\nb",
    "a\x1b[31m",
    "x" * 300,
    "ä" * 130,
    "CON",
    "con.txt",
    "reports/aux.csv",
    "COM1",
    "LPT9.log",
    ".",
    "..",
    "a/./b",
    "a//b",
    "a/",
    "/",
    "",
    "   ",
    "a.",
    "a ",
    " a",
    "a /b",
    "half \ud800",
]
TAKEN = [
    "roc",
    "reports/report.csv",
    ".gitignore",
    "..hidden",
    "a..b",
    "100 %",
    "50%25.txt",
    "2026-01-01T12:00:00.log",
    "Größe/表.txt",
    "console.txt",
    "a=b&c;d#e?f",
    "<script>alert(1)</script>.txt".replace("/", "_"),
    "e\u0301",
]


@pytest.mark.parametrize("name", REFUSED)
def test_names_that_could_lead_elsewhere_are_refused(name: str) -> None:
    with pytest.raises(InvalidValue):
        checked_artifact_name(name)


@pytest.mark.parametrize("name", [None, 3, b"x", Path("x"), ["x"]])
def test_only_text_is_a_name(name: object) -> None:
    with pytest.raises(InvalidValue, match="string"):
        checked_artifact_name(name)


@pytest.mark.parametrize("name", TAKEN)
def test_names_of_all_days_are_taken(name: str) -> None:
    checked = checked_artifact_name(name)
    assert checked_artifact_name(checked) == checked
    if name.isascii():
        assert checked == name


def test_names_that_look_the_same_are_the_same() -> None:
    assert checked_artifact_name("e\u0301") == checked_artifact_name("\u00e9")


@pytest.mark.parametrize(
    "path", ["CON", "a.", " a ", "aux.c", "e\u0301", "x" * 255, "/".join(["d" * 50] * 50)]
)
def test_inside_a_folder_a_file_has_the_name_its_disk_gave_it(path: str) -> None:
    assert checked_artifact_name(path, inside=True) == path


@pytest.mark.parametrize("path", [*REFUSED[:15], "a\nb", "x" * 256, "half \ud800", ""])
def test_inside_a_folder_nothing_leads_out_of_it(path: str) -> None:
    with pytest.raises(InvalidValue):
        checked_artifact_name(path, inside=True)


parts = st.text(st.sampled_from("ab./\\%25eEfF: \0;C"), max_size=14) | st.text(max_size=8)


@given(parts, st.booleans())
def test_whatever_is_taken_stays_below_its_folder(text: str, inside: bool) -> None:
    try:
        name = checked_artifact_name(text, inside=inside)
    except InvalidValue:
        return
    path = PurePosixPath(name)
    assert not path.is_absolute()
    assert path.parts and path.as_posix() == name
    assert not {".", ".."} & set(path.parts)
    assert "\\" not in name and "\0" not in name
    assert checked_artifact_name(name, inside=inside) == name


def test_an_absolute_name_is_refused_for_what_it_is() -> None:
    with pytest.raises(tracking.InvalidValue, match="begins with '/'; give a relative name"):
        checked_artifact_name("/etc/x")
    with pytest.raises(tracking.InvalidValue, match="a part of it is empty"):
        checked_artifact_name("a//x")


@pytest.mark.parametrize("name", ["a?b", "a*b", "a|b", "<x>", 'say "x"'])
def test_what_windows_alone_refuses_can_be_downloaded_here(
    name: str, store_folder: Path, store: tracking.Store, tmp_path: Path
) -> None:
    (tmp_path / "a").write_text("A")
    with tracking.start_run(store=store_folder, capture=False, strict=True) as run:
        run.log_artifact(tmp_path / "a", name)
    assert store.download(run.id, target=tmp_path / "out").joinpath(name).read_text() == "A"
