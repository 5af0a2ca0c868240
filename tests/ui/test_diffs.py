"""A diff file by file."""

from __future__ import annotations

from tracking.ui.diffs import by_file

DIFF = """diff --git a/train.py b/train.py
index 1111111..2222222 100644
--- a/train.py
+++ b/train.py
@@ -1,3 +1,4 @@
 import tracking
-lr = 0.1
+lr = 0.01
+++ counts as added
 end
diff --git a/old name.txt b/new name.txt
similarity index 100%
rename from old name.txt
rename to new name.txt
diff --git a/gone.py b/gone.py
deleted file mode 100644
--- a/gone.py
+++ /dev/null
@@ -1 +0,0 @@
--- a comment in SQL
diff --git a/image.png b/image.png
Binary files a/image.png and b/image.png differ
"""


def test_each_file_has_its_part_and_counts() -> None:
    files = by_file(DIFF)
    assert [(file.path, file.added, file.removed) for file in files] == [
        ("train.py", 2, 1),
        ("new name.txt", 0, 0),
        ("gone.py", 0, 1),
        ("image.png", 0, 0),
    ]
    assert "".join(file.text + "\n" for file in files) == DIFF


def test_what_is_no_diff_of_git_is_one_part() -> None:
    (only,) = by_file("@@ anything\n+<script>\n")
    assert only.path == "changes" and "<script>" in only.text
    assert by_file("") == [] == by_file("\n \n")
    first, second = by_file("cut\ndiff --git a/x b/x\n")
    assert (first.text, second.path) == ("cut", "x")
