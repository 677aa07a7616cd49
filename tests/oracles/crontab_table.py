"""Writes what known crontab lines mean, from PyPI's `cronsim` (which follows Debian's cron), held against `croniter`.

Run it in the top folder of the repository, in an environment made with `pip install -r tests/oracles/requirements.txt`:

    python tests/oracles/crontab_table.py

It writes runner/src/domain/schedule/crontab/oracle.txt: a line of a crontab, a tab, and its next ten firings after 2026-11-20 00:00 on
a wall clock without daylight saving. The lines are such as stand in the crontabs of Linux distributions, in manual pages, and in the files of
people who start and stop machines by them.
"""

import datetime
import pathlib

import cronsim
import croniter

START = datetime.datetime(2026, 11, 20)
COUNT = 10
NAMED = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
# `croniter` takes `*/2` for a restriction, which cron does not: there it ORs where cron ANDs.
STAR_STEP = {"0 0 */2 * 1", "0 12 */7 * 1-5", "30 4 1,15 * */2", "0 0 1-7 * */7"}

LINES = r"""
* * * * *
*/5 * * * *
*/15 * * * *
*/10 9-17 * * *
0 * * * *
0 */2 * * *
0 */6 * * *
0 */5 * * *
30 * * * *
15,45 * * * *
0 9 * * *
0 9 * * 1-5
0 21 * * 1-5
0 9 * * MON-FRI
0 9 * * Mon,Wed,Fri
0 18 * * fri
0 0 * * 0
0 0 * * 7
0 0 * * SUN
0 8 * * 6,0
0 8 * * 6-7
0 8 * * 5-7
0 8 * * 0-5
0 8 * * 0-7
0 8 * * */2
0 8 * * 1-5/2
0 22 * * 1,2,3,4,5
30 6 * * 1
47 6 * * 7
52 6 1 * *
17 * * * *
25 6 * * *
5 0 * * *
15 14 1 * *
23 0-23/2 * * *
5 4 * * sun
0 0,12 1 */2 *
0 4 8-14 * *
0 0 1,15 * 3
30 4 1,15 * 5
0 0 13 * 5
0 0 1-7 * 1
0 9 15-21 * 3
0 0 */2 * 1
0 12 */7 * 1-5
30 4 1,15 * */2
0 0 1-7 * */7
0 2 1 * *
0 3 31 * *
0 3 30 * *
0 3 29 2 *
59 23 31 12 *
0 0 1 1 *
0 0 1 jan *
0 0 1 JAN,JUL *
0 0 1 1-6/2 *
0 5 1 4,7,10,1 *
0 7 28-31 * *
0 0-6,18-23 * * *
*/20 8-10,16-18 * * 1-5
10-50/20 * * * *
1-59/2 * * * *
0-10 0 1 * *
*/7 * * * *
*/59 * * * *
0 */23 * * *
0 0 */10 * *
0 0 * */5 *
0 1 29 2 1
0 0 31 1,3,5 *
0 20 24 12 *
00 09 01 01 *
5 5 5 5 5
0,0,30 12 * * *
@hourly
@daily
@midnight
@weekly
@monthly
@yearly
@annually
""".split("\n")


def firings(line):
    days = cronsim.CronSim(NAMED.get(line, line), START)
    return [next(days) for _ in range(COUNT)]


rows = [
    f"# Crontab lines and their next {COUNT} firings after {START:%Y-%m-%d %H:%M}. Made by tests/oracles/crontab_table.py "
    f"from PyPI's cronsim {cronsim.__version__ if hasattr(cronsim, '__version__') else '2.8'}."
]
for line in filter(None, LINES):
    moments = firings(line)
    if line not in STAR_STEP:
        other = croniter.croniter(NAMED.get(line, line), START)
        judged = [other.get_next(datetime.datetime) for _ in range(COUNT)]
        assert judged == moments, (line, judged, moments)
    rows.append(f"{line}\t" + ", ".join(f"{moment:%Y-%m-%d %H:%M}" for moment in moments))
pathlib.Path("runner/src/domain/schedule/crontab/oracle.txt").write_text("\n".join(rows) + "\n", encoding="utf-8")
