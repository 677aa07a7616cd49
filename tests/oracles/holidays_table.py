"""Writes the tables of public holidays that the runner has built in, from PyPI's `holidays`.

Run it in the top folder of the repository, in an environment made with `pip install -r tests/oracles/requirements.txt`:

    python tests/oracles/holidays_table.py

It writes runner/src/domain/schedule/calendar/holidays/*.txt. Look at the difference before committing: a country that changes its
law changes dates that people have planned with.
"""

import pathlib

import holidays

FIRST, LAST = 2024, 2035
# file, country, subdivision, language of the names
TABLES = [
    ("JP", "JP", None, "en_US"),
    ("US", "US", None, "en_US"),
    ("GB-ENG", "GB", "ENG", "en_GB"),
    ("GB-SCT", "GB", "SCT", "en_GB"),
    ("GB-NIR", "GB", "NIR", "en_GB"),
    ("DE", "DE", None, "en_US"),
    ("FR", "FR", None, "en_US"),
]

folder = pathlib.Path("runner/src/domain/schedule/calendar/holidays")
for name, country, subdivision, language in TABLES:
    # The year after the last one too: what is observed on 31 December belongs to its 1 January.
    days = holidays.country_holidays(country, subdiv=subdivision, years=range(FIRST, LAST + 2), language=language)
    lines = [
        f"# Public holidays of {name}, {FIRST} to {LAST}. Made by tests/oracles/holidays_table.py from PyPI's holidays {holidays.__version__}.",
    ]
    lines += [f"{day} {days[day]}" for day in sorted(days) if FIRST <= day.year <= LAST]
    (folder / f"{name}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
