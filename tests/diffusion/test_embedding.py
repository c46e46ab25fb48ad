"""Files computed once are put beside the data with their checksums, and leave the others alone."""

import hashlib

from oraledu.app import doctor
from oraledu.data.embedded import CHECKSUMS
from oraledu.diffusion.embedding import embed


def test_the_checksums_are_those_that_the_doctor_reads(tmp_path):
    embed({"a.npz": b"one", "b.json": b"two"}, tmp_path)
    assert CHECKSUMS == doctor.CHECKSUMS
    assert [finding.cure for finding in doctor.data(tmp_path)] == [None, None]


def test_other_lines_stay_and_old_ones_are_renewed(tmp_path):
    (tmp_path / CHECKSUMS).write_text("34cd  a.npz\n12ab  images.npz\n")
    embed({"a.npz": b"one", "b.npz": b"two"}, tmp_path)
    one, two = (hashlib.sha256(content).hexdigest() for content in (b"one", b"two"))
    assert (tmp_path / CHECKSUMS).read_text() == f"{one}  a.npz\n{two}  b.npz\n12ab  images.npz\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == [CHECKSUMS, "a.npz", "b.npz"]
