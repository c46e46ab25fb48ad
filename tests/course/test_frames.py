from oraledu.course.frames import Frame, Frames


def frame(size: int) -> Frame:
    return Frame(bytes(size), "A picture.", (10, 10))


def test_the_picture_unused_for_longest_goes_first():
    frames = Frames(limit=30)
    for key in "abc":
        frames.put(key, frame(10))
    assert frames.get("a") == frame(10)
    frames.put("d", frame(10))
    assert [key for key in "abcd" if frames.get(key)] == ["a", "c", "d"]


def test_pictures_stay_within_their_bytes():
    frames = Frames(limit=30)
    for key, size in enumerate((10, 10, 25)):
        frames.put(key, frame(size))
    assert len(frames) == 1
    frames.put("huge", frame(31))
    assert len(frames) == 0


def test_a_picture_put_again_counts_once():
    frames = Frames(limit=30)
    for _ in range(5):
        frames.put("a", frame(20))
    assert len(frames) == 1
