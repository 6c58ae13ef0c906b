"""Tables know what is below them only, as imports do: a key by name ("app.Model") would be no import."""

import tomllib

from django.apps import apps
from django.db.models import Model

from tests.support.documents import ROOT

CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
(LAYERS,) = [contract["layers"] for contract in CONTRACTS if contract.get("containers") == ["webapp"]]
HEIGHT = {
    name.strip(): -place for place, layer in enumerate(LAYERS) for name in layer.replace(":", "|").split("|")
}


def height(model: type[Model]) -> int | None:
    """Of the layer that the model is in; None where it is not ours."""
    parts = model.__module__.split(".")
    return HEIGHT[parts[1]] if parts[0] == "webapp" else None


def test_no_table_knows_one_above_it_or_beside_it():
    known = [
        (model._meta.label, field.name, field.related_model._meta.label)
        for model in apps.get_models(include_auto_created=True)
        for field in [*model._meta.local_fields, *model._meta.local_many_to_many]
        if (here := height(model)) is not None
        and isinstance(field.related_model, type)
        and (there := height(field.related_model)) is not None
        and model.__module__.split(".")[1] != field.related_model.__module__.split(".")[1]
        and there >= here
    ]
    assert known == []
    assert HEIGHT["inference"] > HEIGHT["cases"] > HEIGHT["labs"]
