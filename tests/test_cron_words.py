"""Schedules in words: a table of the usual forms."""

import pytest

from etlml.cron_words import cron_words


@pytest.mark.parametrize(
    ("schedule", "words"),
    [
        ("* * * * *", "every minute"),
        ("*/5 * * * *", "every 5 minutes"),
        ("0/10 * * * *", "every 10 minutes"),
        ("*/15 9-17 * * 1-5", "every 15 minutes from 09:00 to 17:59 on weekdays"),
        ("0 * * * *", "every hour"),
        ("@hourly", "every hour"),
        ("20 * * * *", "every hour at 20 min past"),
        ("0,30 * * * *", "every hour at 0 min and 30 min past"),
        ("0 */2 * * *", "every 2 hours"),
        ("5 */6 * * *", "every 6 hours at 5 min past"),
        ("0 8-18 * * 1-5", "every hour from 08:00 to 18:59 on weekdays"),
        ("0 6 * * *", "at 06:00 every day"),
        ("@daily", "at 00:00 every day"),
        ("0 6,18 * * *", "at 06:00 and 18:00 every day"),
        ("15,45 6 * * *", "at 06:15 and 06:45 every day"),
        ("0 6 * * 1-5", "at 06:00 on weekdays"),
        ("0 6 * * mon-fri", "at 06:00 on weekdays"),
        ("0 6 * * 6,0", "at 06:00 at weekends"),
        ("0 6 * * 6-7", "at 06:00 at weekends"),
        ("0 6 * * 1", "at 06:00 on Monday"),
        ("0 6 * * SUN,tue", "at 06:00 on Tuesday and Sunday"),
        ("@weekly", "at 00:00 on Sunday"),
        ("0 6 1 * *", "at 06:00 on the 1st of every month"),
        ("0 6 1,15 * *", "at 06:00 on the 1st and 15th of every month"),
        ("0 6 L * *", "at 06:00 on the last day of every month"),
        ("@yearly", "at 00:00 on the 1st of January"),
        ("0 6 1 */3 *", "at 06:00 on the 1st of January, April, July and October"),
        ("0 6 * 6-8 1-5", "at 06:00 on weekdays in June to August"),
        ("  0   6 * * * ", "at 06:00 every day"),
    ],
)
def test_usual_schedules_have_words(schedule: str, words: str) -> None:
    assert cron_words(schedule) == words


@pytest.mark.parametrize(
    "schedule", ["*/7 * * * *", "0 6 1 * 1", "0 6 * * 1#2", "61 * * * *", "tomorrow", "1-59/3 4 * * *"]
)
def test_others_stay_as_they_are_written(schedule: str) -> None:
    assert cron_words(schedule) == schedule


def test_the_zone_is_named_at_the_end() -> None:
    assert cron_words("0 6 * * 1-5", "Europe/Berlin") == "at 06:00 on weekdays, Europe/Berlin"
