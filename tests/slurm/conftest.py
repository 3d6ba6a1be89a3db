import pytest
from test_workflow import copy_of_repository, snakemake, tables


@pytest.fixture(scope="session")
def local_tables(tmp_path_factory):
    """What a run on this machine makes."""
    folder = copy_of_repository(tmp_path_factory.mktemp("local"))
    snakemake(folder, "tables")
    return tables(folder)
