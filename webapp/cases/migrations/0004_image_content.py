from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models

import webapp.cases.refusals


class Migration(migrations.Migration):
    atomic = False  # the index is built while workers go on writing

    dependencies = [
        ("cases", "0003_patient_identifiers"),
    ]

    operations = [
        migrations.AlterField(
            model_name="image",
            name="sha256",
            field=models.BinaryField(
                help_text="Of the original: claimed at first, measured once fetched.",
                max_length=32,
                null=True,
            ),
        ),
        migrations.AlterField(
            model_name="image",
            name="refusal",
            field=models.CharField(blank=True, choices=webapp.cases.refusals.Refusal.choices, max_length=32),
        ),
        AddIndexConcurrently(
            model_name="image",
            index=models.Index(fields=["case", "sha256"], name="image_content"),
        ),
    ]
