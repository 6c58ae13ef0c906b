"""Why a job ended early is kept as a sentence that is said in the language of whoever reads it.

The old column stays until the next release, with a default: the release before writes and reads it meanwhile.
"""

from django.db import migrations, models

import webapp.language.migrating


class Migration(migrations.Migration):
    dependencies = [("jobs", "0001_initial")]

    operations = [
        migrations.AddField(
            "job",
            "reason",
            models.JSONField(
                editable=False,
                help_text="Why it ended early.",
                null=True,
            ),
        ),
        *webapp.language.migrating.carry_over("job", "jobs_job", "error"),
    ]
