from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydrophone.archive import read_manifest, write_manifest
from hydrophone.archive.manifest import MANIFEST_NAME, build_manifest, parse_manifest
from hydrophone.errors import DiskError

HAS_COREUTILS = sys.platform != "win32" and shutil.which("sha256sum") is not None
NAMES = ["a b.txt", "back\\slash", "new\nline", "-rf", "*", "日本語.vtt", "a*b", "\\n", "deep/er/file", "tab\t", "'\""]


@pytest.mark.skipif(not HAS_COREUTILS, reason="needs sha256sum")
def test_sha256sum_checks_what_we_write(tmp_path: Path) -> None:
    for name in NAMES:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    (tmp_path / ".take").mkdir()
    (tmp_path / ".take" / "lock").touch()
    write_manifest(tmp_path)

    done = subprocess.run(["sha256sum", "-c", "--strict", MANIFEST_NAME], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(": OK") == len(NAMES)
    assert set(read_manifest(tmp_path / MANIFEST_NAME).digests) == set(NAMES)

    (tmp_path / "-rf").write_text("changed")
    assert subprocess.run(["sha256sum", "-c", "--status", MANIFEST_NAME], cwd=tmp_path).returncode == 1


@pytest.mark.skipif(not HAS_COREUTILS, reason="needs sha256sum")
def test_our_lines_are_those_of_sha256sum(tmp_path: Path) -> None:
    names = ["back\\slash", "new\nline", "plain"]
    for name in names:
        (tmp_path / name).write_text(name)
    theirs = subprocess.run(["sha256sum", "-b", *sorted(names)], cwd=tmp_path, capture_output=True, check=True).stdout

    write_manifest(tmp_path)
    assert (tmp_path / MANIFEST_NAME).read_bytes() == theirs


def test_the_order_does_not_depend_on_the_file_system(tmp_path: Path) -> None:
    for name in ("b", "a", "C", "é"):
        (tmp_path / name).write_text(name)
    write_manifest(tmp_path)
    first = (tmp_path / MANIFEST_NAME).read_bytes()
    write_manifest(tmp_path, names=["é", "C", "b", "a"], known=dict(read_manifest(tmp_path / MANIFEST_NAME).digests))

    assert (tmp_path / MANIFEST_NAME).read_bytes() == first
    assert list(parse_manifest(first).digests) == ["C", "a", "b", "é"]


def test_a_missing_manifest_is_a_disk_error(tmp_path: Path) -> None:
    with pytest.raises(DiskError):
        read_manifest(tmp_path / MANIFEST_NAME)


names = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=12)


@given(st.dictionaries(names, st.text("0123456789abcdef", min_size=64, max_size=64), max_size=5))
def test_a_manifest_makes_the_round_trip(digests: dict[str, str]) -> None:
    manifest = parse_manifest(build_manifest(digests))
    assert manifest.digests == digests
    assert not manifest.problems


@given(st.binary(max_size=300))
def test_arbitrary_bytes_never_raise_and_are_never_clean_unless_ours(text: bytes) -> None:
    manifest = parse_manifest(text)
    assert manifest.problems or build_manifest(manifest.digests) == text


def test_every_flipped_bit_of_a_manifest_shows() -> None:
    digests = {"a.txt": "0a" * 32, "b\\c": "f9" * 32}
    text = build_manifest(digests)
    for at in range(len(text)):
        for bit in range(8):
            bad = bytearray(text)
            bad[at] ^= 1 << bit
            manifest = parse_manifest(bytes(bad))
            assert manifest.problems or manifest.digests != digests
