"""What docs/scaling.md says of 100 times the paper."""

import pytest
from test_workflow import copy_of_repository, plan, processor_seconds

HUNDREDFOLD = "workflow/presets/hundredfold.yaml"


@pytest.mark.workflow
def test_100_times_the_paper_is_planned_in_2280_jobs_and_a_minute(tmp_path):
    folder = copy_of_repository(tmp_path)
    before = processor_seconds()
    planned = plan(folder, configs=(HUNDREDFOLD,))
    assert processor_seconds() - before < 60
    del planned["figures"]
    assert planned == {
        "images": 1,
        "train": 540,
        "initialize": 30,
        **dict.fromkeys(("similarity", "cluster", "compare"), 570),
        "table": 5,
        "examples": 1,
        "claims": 1,
    }
