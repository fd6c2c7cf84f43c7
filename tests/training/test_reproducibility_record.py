"""The record: complete, and with a hash that sees the data and nothing else."""

import json
import subprocess

import numpy as np
import pytest

from x0.training import reproducibility_record as record


@pytest.mark.proves("reproducibility-hash", kind="search", range="> <, C F", n="64")
def test_hash_sees_a_pixel_and_not_the_layout():
    """The hash does not depend on byte order or layout; one changed pixel changes it."""
    images = np.random.default_rng(0).random((8, 8))
    base = record.data_hash({"x": images})
    for same in (images.astype(">f8"), np.asfortranarray(images), images.T.copy().T):
        assert record.data_hash({"x": same}) == base
    found = {base}
    for i in range(64):
        changed = images.copy()
        changed.flat[i] = np.nextafter(changed.flat[i], 2)
        found.add(record.data_hash({"x": changed}))
    assert len(found) == 65


def test_hash_sees_values_shapes_types_and_names():
    x = np.arange(6.0)
    base = record.data_hash({"x": x})
    changed = x.copy()
    changed[3] += 1e-12
    others = [{"x": changed}, {"x": x.reshape(2, 3)}, {"x": x.astype(np.float32)}, {"y": x}]
    hashes = {record.data_hash(arrays) for arrays in others}
    assert base not in hashes
    assert len(hashes) == 4
    assert record.data_hash({"x": np.array(3.0)}) != record.data_hash({"x": np.array([3.0])})


def test_hash_does_not_see_layout_byte_order_or_the_order_of_names():
    x = np.arange(6.0).reshape(2, 3)
    base = record.data_hash({"a": x, "b": x})
    assert record.data_hash({"b": np.asfortranarray(x), "a": x.astype(">f8")}) == base
    assert record.data_hash({"a": x.T.copy().T, "b": x}) == base


def test_objects_have_no_hash():
    """Objects, strings of any length, records and long doubles would be hashed by address or with gaps."""
    records = ([("a", object)], [("a", "i4"), ("b", "f4")])
    for dtype in (object, np.dtypes.StringDType(), *records, np.longdouble, np.clongdouble):
        with pytest.raises(ValueError, match="Received: name='x'"):
            record.data_hash({"x": np.zeros(2, dtype)})


def test_record_is_json_and_complete():
    text = record.run_record({"rate": 0.1, "seed": 3}, {"x": np.ones(2)})
    found = json.loads(text)
    assert found["config"] == {"rate": 0.1, "seed": 3}
    assert {"commit", "data", "python", "torch", "threads", "platform"} <= found.keys()
    with pytest.raises(TypeError):
        record.run_record({"model": object()}, {})


def test_commit(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert record.git_commit() == "unknown"
    for command in (
        ["init", "-q"],
        ["-c", "user.name=a", "-c", "user.email=a@b.c", "commit", "-q", "--allow-empty", "-m", "x"],
    ):
        subprocess.run(["git", *command], check=True)
    commit = record.git_commit()
    assert len(commit) == 40
    (tmp_path / "new").write_text("x")
    assert record.git_commit() == commit + "+"


def test_the_printed_hash_is_the_same_everywhere(printed):
    assert "digits: 9e01f4db8f6b14d2" in printed("reproducibility_record")
