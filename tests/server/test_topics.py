"""Things are looked at once for all who follow them (J09)."""

import asyncio
import json
import threading

from pydantic import BaseModel

from imageloom.server.topics import Topics


class Count(BaseModel):
    """A snapshot."""

    count: int


class Counter:
    """Something that can be looked at, and says how often it was."""

    def __init__(self, count=0):
        self.count = count
        self.looks = 0
        self._lock = threading.Lock()

    def look(self):
        with self._lock:
            self.looks += 1
            return Count(count=self.count)


def following(body):
    """Run a coroutine that gets fresh topics, and end it if it hangs."""

    async def main():
        return await asyncio.wait_for(body(Topics()), 30)

    return asyncio.run(main())


def test_a_follower_gets_a_picture_at_once_and_then_every_change_once():
    counter = Counter()

    async def body(topics):
        seen = []
        async for snapshot in topics.follow([("a", counter.look)], {}):
            seen.append(json.loads(snapshot.text)["count"])
            counter.count += 1
            if len(seen) == 4:
                return seen
        return None

    assert following(body) == [0, 1, 2, 3]


def test_who_knows_the_picture_already_hears_only_of_the_next():
    counter = Counter(7)

    async def body(topics):
        async for snapshot in topics.follow([("a", counter.look)], {}):
            known = {"a": snapshot.mark}
            break
        looks = counter.looks

        async def change_later():
            while counter.looks < looks + 3:  # it was looked at, and nothing was said
                await asyncio.sleep(0.01)
            counter.count = 8

        change = asyncio.create_task(change_later())
        async for snapshot in topics.follow([("a", counter.look)], known):
            await change
            return json.loads(snapshot.text)["count"]
        return None

    assert following(body) == 8


def test_many_followers_are_one_look_and_none_are_no_look():
    counter = Counter()

    async def body(topics):
        async def first(number):
            async for snapshot in topics.follow([("a", counter.look)], {}):
                return number, json.loads(snapshot.text)["count"]
            return None

        found = await asyncio.gather(*(first(number) for number in range(50)))
        looks = counter.looks
        await asyncio.sleep(0)
        return found, looks, topics

    found, looks, topics = following(body)
    assert found == [(number, 0) for number in range(50)]
    assert looks < 5
    assert topics._topics == {}


def test_followers_are_let_go_when_the_server_ends():
    counter = Counter()

    async def body(topics):
        async def follow():
            following = topics.follow([("a", counter.look)], {})
            return [json.loads(one.text)["count"] async for one in following]

        following = [asyncio.create_task(follow()) for _ in range(3)]
        while not counter.looks:
            await asyncio.sleep(0.01)
        topics.close()
        return await asyncio.gather(*following)

    assert all(found in ([], [0]) for found in following(body))


def test_a_look_that_fails_is_tried_again():
    looks = []

    def look():
        looks.append(1)
        if len(looks) == 1:
            raise OSError("the disk does not answer")
        return Count(count=5)

    async def body(topics):
        async for snapshot in topics.follow([("a", look)], {}):
            return json.loads(snapshot.text)["count"]
        return None

    assert following(body) == 5
