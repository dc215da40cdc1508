"""When a dead process is started again."""

import pytest

from etlml.launch.backoff import LONGEST_DELAY_S, MOST_DEATHS, WINDOW_S, restart_delay


@pytest.mark.parametrize(
    ("deaths", "delay"),
    [([0.0], 0.5), ([0.0, 1.0], 1.0), ([0.0, 1.0, 2.0], 2.0), ([0.0, 1.0, 2.0, 3.0], 4.0)],
)
def test_delay_doubles_with_each_recent_death(deaths: list[float], delay: float) -> None:
    assert restart_delay(deaths) == delay


def test_too_many_recent_deaths_give_up() -> None:
    assert restart_delay([float(second) for second in range(MOST_DEATHS)]) is None


def test_old_deaths_are_forgotten() -> None:
    assert restart_delay([0.0] * 100 + [WINDOW_S + 1]) == 0.5


def test_delay_has_a_limit() -> None:
    assert all((restart_delay([0.0] * count) or 0) <= LONGEST_DELAY_S for count in range(1, 10))
