import asyncio
from threading import Thread

import pytest

from nl2sql.models.budget import LEVELS, Budget


def test_levels_are_used_in_their_order_as_money_runs_out():
    costs = [0.01] * 10
    names = []
    for cap in [2, 1.2, 0.8, 0.45, 0.42, 0.4, 0.34, 0.25, 0.09, 0]:
        names.append(Budget(cap, questions=10).plan([str(i) for i in range(10)], costs).name)
    order = [level.name for level in LEVELS]
    assert [order.index(n) for n in names] == sorted(order.index(n) for n in names)
    assert names[0] == "full"
    assert names[-1] == "no model"
    assert len(set(names)) >= 6


def test_what_is_left_is_shared_among_the_questions_not_yet_planned():
    budget = Budget(cap=2.0, questions=10)
    # ten candidates at a cent with fixes and comparisons: 0.10 x 1.45 = 14.5 cents a question, 20 are there
    assert budget.plan(["a"] * 1, [0.01] * 10).name == "full"
    asyncio.run(budget.reserve(1.0))
    budget.settle(1.0, 1.0)
    # one dollar for nine: 11.1 cents; six candidates take 8.7
    assert budget.plan(["b"], [0.01] * 10).name == "six candidates"
    assert budget.level_of("b").candidates == 6
    assert budget.level_of("never planned").name == "full"


def test_worst_cases_of_calls_under_way_do_not_count_as_spent():
    budget = Budget(cap=2.0, questions=10)
    budget.plan(["a"], [0.01] * 10)
    assert asyncio.run(budget.reserve(1.5))
    # 14.5 of 200 cents are promised: the other nine have 20 each
    assert budget.plan(["b"], [0.01] * 10).name == "full"


def test_what_is_promised_is_not_promised_twice():
    budget = Budget(cap=0.3, questions=2)
    assert budget.plan(["a"], [0.01] * 10).name == "full"
    assert budget.plan(["b"], [0.01] * 10).name == "full"
    budget.settle(0.0, 0.145, "generate")
    assert budget.plan(["b"], [0.01] * 10).name == "full"
    assert Budget(cap=0.2, questions=2).plan(["a"], [0.01] * 10).name != "full"


def test_shares_of_fixing_and_comparing_follow_what_was_seen():
    budget = Budget(cap=100.0, questions=1000)
    budget.plan(["a"], [0.01] * 9)
    for role, dollars in (("generate", 10.0), ("fix", 0.0), ("compare", 0.0)):
        budget.settle(0.0, dollars, role)
    # 9 cents a question and hardly anything beside: 90.09 cents for 999 questions just allow nine candidates
    assert budget.plan(["b"], [0.0098] * 9).name == "full"


def test_a_call_that_can_never_fit_is_not_made_and_one_that_may_fit_waits():
    async def run():
        budget = Budget(cap=1.0, questions=1)
        assert await budget.reserve(0.6)
        assert not await budget.reserve(1.1)
        waiting = asyncio.ensure_future(budget.reserve(0.6))
        await asyncio.sleep(0.05)
        assert not waiting.done()
        Thread(target=budget.settle, args=(0.6, 0.1)).start()
        assert await asyncio.wait_for(waiting, 5)
        assert not await budget.reserve(0.95)
        assert (budget.spent, budget.reserved) == pytest.approx((0.1, 0.6))

    asyncio.run(run())


def test_the_cap_holds_at_every_moment_among_64_calls_at_a_time():
    async def run():
        budget = Budget(cap=3.0, questions=1)
        most, made = 0.0, 0

        async def call(number):
            nonlocal most, made
            if not await budget.reserve(0.1):
                return
            most = max(most, budget.spent + budget.reserved)
            await asyncio.sleep(0.001 * (number % 7))
            budget.settle(0.1, 0.01 * (number % 11))
            made += 1

        await asyncio.gather(*(call(i) for i in range(64)))
        await asyncio.gather(*(call(i) for i in range(64)))
        assert most <= 3.0 + 1e-9
        assert budget.reserved == pytest.approx(0)
        assert 2.9 <= budget.spent <= 3.0 + 1e-9
        assert 0 < made < 128

    asyncio.run(run())
