from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # built while workers go on writing

    dependencies = [
        ("inference", "0002_distance_from_training_cells"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="chunk",
            index=models.Index(condition=models.Q(("state", "dead")), fields=["lab"], name="chunk_dead"),
        ),
    ]
