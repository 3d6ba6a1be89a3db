"""Where the workflow reaches into Snakemake: with one that lacks it all. `test_run.py` has the real one."""

import logging
from types import SimpleNamespace

import pytest
from snakemake.jobs import Job

from unit_clusters_paper.runs import insides


def test_a_snakemake_that_lacks_all_of_it_brings_one_warning(monkeypatch, caplog):
    monkeypatch.setattr(insides, "LACKING", [])
    insides.warn(logging.getLogger())
    assert caplog.messages == []
    workflow = SimpleNamespace()
    assert not insides.is_of_a_job(workflow)
    insides.mark(workflow)
    insides.limit_no_rate(workflow)
    monkeypatch.delattr(Job, "cleanup")
    insides.leave_failed_output()
    assert not hasattr(Job, "cleanup")
    insides.warn(logging.getLogger())
    assert len(insides.LACKING) == 4
    assert [caplog.messages[0].count(lacking) for lacking in insides.LACKING] == [1] * 4
    assert len(caplog.messages) == 1


@pytest.mark.parametrize(
    ("fields", "shown"),
    [
        ({}, True),
        ({"event": SimpleNamespace(name="JOB_INFO"), "rule_msg": "Figure 2"}, True),
        ({"event": SimpleNamespace(name="JOB_INFO"), "rule_msg": None}, False),
        ({"event": SimpleNamespace(name="JOB_FINISHED")}, False),
        ({"event": SimpleNamespace(name="JOB_ERROR")}, True),
        ({"msg": "Select jobs to execute..."}, False),
        ({"msg": "Execute 2 jobs..."}, False),
        ({"event": "of another kind"}, True),
    ],
)
def test_news(fields, shown):
    assert insides.News().filter(logging.makeLogRecord({"msg": "text"} | fields)) == shown


def test_each_twentieth_of_a_run_is_news():
    news = insides.News()
    event = SimpleNamespace(name="PROGRESS")
    records = [logging.makeLogRecord({"event": event, "done": done, "total": 100}) for done in range(1, 101)]
    assert [record.done for record in records if news.filter(record)] == list(range(5, 101, 5))
