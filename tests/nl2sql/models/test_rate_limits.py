import asyncio
import time

import pytest

from nl2sql.models.rate_limits import LONGEST_DELAY, Bucket, Places, ProviderLimits, Throttle, backoff


def run_calls(limits, count, tokens=10.0, seconds=0.0):
    """Moments at which calls were admitted, and the most that were under way at once."""

    async def run():
        throttle, moments, most = Throttle(limits), [], [0, 0]
        start = time.monotonic()

        async def call():
            async with throttle.admit(tokens):
                moments.append(time.monotonic() - start)
                most[0] += 1
                most[1] = max(most)
                await asyncio.sleep(seconds)
                most[0] -= 1

        await asyncio.gather(*(call() for _ in range(count)))
        return moments, most[1]

    return asyncio.run(run())


def test_no_more_calls_at_once_than_allowed():
    _, most = run_calls(ProviderLimits("p", concurrency=3), 20, seconds=0.005)
    assert most == 3


@pytest.mark.parametrize(
    ("given", "tokens"),
    [({"requests_per_minute": 600}, 1), ({"tokens_per_minute": 60_000}, 100), ({"tokens_per_minute": 600}, 1)],
)
def test_calls_wait_for_the_minute_s_limit(given, tokens):
    # ten a second, with a burst of five seconds' worth
    moments, _ = run_calls(ProviderLimits("p", concurrency=100, **given), 56, tokens)
    assert moments[49] < 0.2
    assert 0.45 < moments[55] < 1.2


def test_a_call_above_the_limit_passes_once_and_then_others_wait():
    moments, _ = run_calls(ProviderLimits("p", tokens_per_minute=6000), 2, tokens=530)
    assert moments[0] < 0.1
    assert moments[1] > 0.2


def test_corrections_go_both_ways():
    bucket = Bucket(60.0)
    assert bucket.wait(5) == 0
    bucket.take(5)
    assert bucket.wait(5) == pytest.approx(5, abs=0.1)
    bucket.take(-5)
    assert bucket.wait(5) == pytest.approx(0, abs=0.1)
    assert Bucket(None).wait(1e9) == 0


def test_a_pause_holds_back_everyone_and_longer_ones_win():
    async def run():
        throttle = Throttle(ProviderLimits("p"))
        throttle.pause(0.3)
        throttle.pause(0.05)
        start = time.monotonic()
        async with throttle.admit(1):
            return time.monotonic() - start

    assert 0.29 < asyncio.run(run()) < 1


def test_backoff_grows_has_jitter_and_ends():
    assert len({backoff(3) for _ in range(20)}) == 20
    assert max(backoff(0) for _ in range(200)) <= 1
    assert max(backoff(50) for _ in range(200)) <= LONGEST_DELAY


def test_a_key_is_not_shown():
    assert "secret" not in repr(ProviderLimits("p", api_key="secret"))


def take_places(number, ranks, cancelled=()):
    """The order in which calls of these ranks get a place, when all come while the first keeps it; some give up."""

    async def run():
        places, went = Places(number), []

        async def call(rank):
            async with places.take(rank):
                went.append(rank)
                await asyncio.sleep(0.001)

        tasks = []
        for rank in ranks:
            tasks.append(asyncio.create_task(call(rank)))
            await asyncio.sleep(0)
        for place in cancelled:
            tasks[place].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        again = asyncio.create_task(call(0))
        await asyncio.wait_for(again, 5)  # no place was lost
        return went[:-1]

    return asyncio.run(run())


def test_the_lowest_rank_is_next_and_equals_go_in_their_order():
    assert take_places(1, [5, 9, 7, 3, 7, 1]) == [5, 1, 3, 7, 7, 9]


def test_who_gives_up_leaves_the_place_to_the_next():
    assert take_places(1, [5, 9, 1, 3], cancelled=[2]) == [5, 3, 9]
    assert take_places(1, [5, 9, 1, 3], cancelled=[0, 1]) == [5, 1, 3]


def test_a_place_that_was_given_to_someone_cancelled_at_that_moment_is_passed_on():
    async def run():
        places = Places(1)
        async with places.take(0):
            waiting = asyncio.create_task(places.take(1).__aenter__())
            await asyncio.sleep(0)
        waiting.cancel()  # its turn is set, it has not run yet
        await asyncio.gather(waiting, return_exceptions=True)
        async with asyncio.timeout(5), places.take(2):
            return True

    assert asyncio.run(run())
