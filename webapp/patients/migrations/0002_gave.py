"""What was taken over from somebody who was merged is known, so that parting the two gives it back."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("patients", "0001_initial")]

    operations = [
        migrations.AddField(
            "patient",
            "gave",
            models.JSONField(
                db_default=models.Value([], models.JSONField()),
                default=list,
                help_text="Which of the above were taken over from them when they were merged.",
            ),
        )
    ]
