"""A store is named without its secrets, wherever it is shown or remembered."""

import pytest

from retriage.console.connections import to_store
from retriage.store.store_name import name_of


@pytest.mark.parametrize(
    ("store", "name"),
    [
        ("/data/store.db", "/data/store.db"),
        ("sqlite:////data/store.db", "sqlite:////data/store.db"),
        ("postgresql://db.example/night", "postgresql://db.example/night"),
        ("postgresql://ann:s3cret@db.example:5432/night", "postgresql://db.example:5432/night"),
        ("postgresql://ann:s3/c?ret@db.example/night", "postgresql://db.example/night"),
        ("postgresql://ann@db.example/night?password=s3cret", "postgresql://db.example/night"),
        ("postgresql://db.example/night?sslmode=require&password=s3cret", "postgresql://db.example/night?sslmode=require"),
        ("postgresql:///night?host=/run/pg&PASSWORD=s3cret", "postgresql:///night?host=/run/pg"),
        ("postgresql://db.example/night?pass%77ord=s3cret", "postgresql://db.example/night"),
        ("postgresql://db.example/night?password=s3c@ret", "postgresql://db.example/night"),
        ("postgresql://db.example/night?sslpassword=s3cret&sslkey=ann.key", "postgresql://db.example/night?sslkey=ann.key"),
        ("postgresql://db.example/night?scram_client_key=s3cret", "postgresql://db.example/night"),
    ],
)  # fmt: skip
def test_a_url_loses_its_secrets_and_nothing_else(store: str, name: str) -> None:
    assert name_of(store) == name
    assert to_store(store, None, False).name == name
