"""Whoever drew first is next, whenever it comes to ask."""

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from nl2sql.online.turns import Turns


def test_those_who_wait_go_in_the_order_in_which_they_drew():
    turns, held, went = Turns(), Event(), []
    numbers = [turns.draw() for _ in range(20)]

    def work(number):
        with turns.take(number):
            went.append(number)

    def hold():
        with turns.take(numbers[0]):
            held.wait(30)

    with ThreadPoolExecutor(20) as pool:
        first = pool.submit(hold)
        while not turns._taken:
            time.sleep(0.001)
        others = [pool.submit(work, number) for number in reversed(numbers[1:])]
        while len(turns._waiting) < 19:
            time.sleep(0.001)
        held.set()
        for future in (first, *others):
            future.result(30)
    assert went == numbers[1:]


def test_one_at_a_time_and_each_as_often_as_it_likes():
    turns, inside, most = Turns(), [0], [0]

    def work(number):
        for _ in range(50):
            with turns.take(number):
                inside[0] += 1
                most[0] = max(most[0], inside[0])
                time.sleep(0)
                inside[0] -= 1

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, [turns.draw() for _ in range(8)]))
    assert (inside, most) == ([0], [1])


def test_a_turn_that_fails_is_over():
    turns = Turns()
    first, second = turns.draw(), turns.draw()
    with pytest.raises(ZeroDivisionError), turns.take(first):
        raise ZeroDivisionError
    with turns.take(second):
        pass
