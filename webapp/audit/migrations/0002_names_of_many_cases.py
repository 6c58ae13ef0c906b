import django.contrib.postgres.indexes
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # the index is built while others write

    dependencies = [("audit", "0001_initial")]

    operations = [
        AddIndexConcurrently(
            model_name="entry",
            index=django.contrib.postgres.indexes.GinIndex(
                condition=models.Q(action="case.identifiers_shown"),
                fields=["after"],
                name="audit_by_case_shown",
                opclasses=["jsonb_path_ops"],
            ),
        )
    ]
