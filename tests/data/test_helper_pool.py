"""Helper processes of any kind: what a pool does when one ends, fails or refuses."""

import pytest

from imageloom.errors import LibraryError, NotInRangeValueError
from imageloom.system.helper_pool import HelperPool
from imageloom.system.helper_process import HelperKind

pytestmark = pytest.mark.processes
STUB = HelperKind("stub_helper", "stub process", "stub", slow_hint="", lost_hint="")


@pytest.fixture
def make_pool():
    pools = []

    def make(**setup):
        pools.append(HelperPool(STUB, setup))
        return pools[-1]

    yield make
    for pool in pools:
        pool.close()


def test_one_that_ended_because_nobody_asked_costs_no_call(make_pool):
    pool = make_pool(colour="red")
    first = pool.ask("pid", {}, 30)
    (process,) = pool.running
    pool.end_idle(600.0)
    assert process.lives
    pool.end_idle(0.0)
    assert not process.lives
    assert pool.running == set()
    second = pool.ask("pid", {}, 30)
    assert second["setup"] == {"colour": "red"}
    assert second["pid"] != first["pid"]


def test_a_request_that_fails_is_an_error_and_the_process_goes_on(make_pool):
    pool = make_pool()
    with pytest.raises(LibraryError, match=r"ValueError.*too blue"):
        pool.ask("fail", {"why": "too blue"}, 30)
    assert len(pool.running) == 1


def test_one_that_cannot_begin_says_why(make_pool):
    with pytest.raises(NotInRangeValueError, match="does not want to"):
        make_pool(refuses=True).ask("pid", {}, 30)
