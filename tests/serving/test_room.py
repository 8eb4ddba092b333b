"""What is inside is bounded, and given back."""

import pytest

from imageloom.errors import InvalidRequestError, ServerBusyError
from imageloom.serving.failures import failure_answer
from imageloom.serving.room import Room


def test_pictures_find_room_until_it_is_full():
    room = Room(most_pictures=4, most_bytes=10)
    with room.of_pictures(3):
        with pytest.raises(ServerBusyError, match="3 pictures are inside, of 4 at most"):
            room.of_pictures(2).__enter__()
        with room.of_pictures(1):
            assert room.pictures == 4
    assert room.pictures == 0


def test_more_pictures_than_can_ever_be_inside_are_another_error():
    with pytest.raises(InvalidRequestError, match="holds 5 pictures, but at most 4"):
        Room(most_pictures=4, most_bytes=10).of_pictures(5).__enter__()


def test_a_body_asks_for_room_as_it_grows_and_gives_all_back():
    room = Room(most_pictures=4, most_bytes=10)
    with room.of_body() as one, room.of_body() as other:
        one.reserve(4)
        one.reserve(3)  # it has four already
        one.reserve(6)
        other.reserve(4)
        with pytest.raises(ServerBusyError, match="10 bytes are being read, of 10 at most"):
            other.reserve(5)
        assert room.bytes == 10
    assert room.bytes == 0


def test_who_finds_no_room_is_told_when_to_come_again():
    answer = failure_answer(ServerBusyError("It is full.", reason="queue-full"))
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
