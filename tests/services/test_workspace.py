"""What the example workspace promises."""

from concurrent.futures import ThreadPoolExecutor

from etlml.services import Services
from etlml.services.workspace import examples_dir

NAMES = ["daily-summary", "flights", "penguins"]


def test_first_start_brings_data_and_pipelines(services: Services) -> None:
    assert services.workspace.install_examples() == NAMES
    shipped = {file.name for file in (examples_dir() / "data").iterdir()}
    assert {file.name for file in (services.environment.data_dir / "examples").iterdir()} == shipped
    for name in NAMES:
        assert services.pipelines.validate(services.pipelines.get(name).draft())["problems"] == []


def test_second_start_brings_nothing_back_that_was_deleted(services: Services) -> None:
    services.workspace.install_examples()
    services.pipelines.delete("penguins")
    (services.environment.data_dir / "examples" / "penguins.csv").unlink()
    assert services.workspace.install_examples() == []
    assert sorted(pipeline.name for pipeline in services.pipelines.list().items) == ["daily-summary", "flights"]
    assert not (services.environment.data_dir / "examples" / "penguins.csv").exists()


def test_processes_that_start_at_once_make_each_example_once(services: Services) -> None:
    others = [Services(services.store, services.environment) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        created = [name for names in pool.map(lambda one: one.workspace.install_examples(), others) for name in names]
    assert sorted(created) == NAMES


def test_pipeline_of_the_users_with_that_name_is_left_alone(services: Services) -> None:
    services.pipelines.create({"name": "penguins", "description": "mine"})
    assert services.workspace.install_examples() == ["daily-summary", "flights"]
    assert services.pipelines.get("penguins").description == "mine"
