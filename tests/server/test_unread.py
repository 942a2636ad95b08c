"""Clients that do not read: each is cut after a while, and sooner where all together hold too much."""

import asyncio

from penstock.server.unread import Unread


class Connection:
    """A transport with unsent bytes."""

    def __init__(self, size):
        self.size, self.cut = size, False

    def get_write_buffer_size(self):
        return self.size

    def abort(self):
        self.cut = True


async def test_who_takes_nothing_is_cut_and_who_reads_slowly_is_not():
    cut = []
    unread = Unread(0.02, lambda: cut.append(1))
    never, slow, back = Connection(100), Connection(100), Connection(100)
    for each in (never, slow, back):
        unread.add(each)
    unread.discard(back)
    for _ in range(10):
        slow.size -= 1
        await asyncio.sleep(0.01)
    assert (never.cut, slow.cut, back.cut, len(cut)) == (True, False, False, 1)
    unread.discard(slow)
    unread.discard(slow)


async def test_together_they_hold_a_bounded_number_of_bytes():
    cut = []
    unread = Unread(60, lambda: cut.append(1), most=250)
    large = Connection(1000)
    unread.add(large)
    assert not large.cut  # one alone may hold any answer
    others = [Connection(100) for _ in range(4)]
    for each in others:
        unread.add(each)
    assert [each.cut for each in (large, *others)] == [True, True, True, False, False]
    for each in others:
        unread.discard(each)
    assert len(cut) == 3
