"""Why a chunk's last attempt failed is kept as a sentence that is said in the language of whoever reads it.

The old column stays until the next release, with a default: the release before writes and reads it meanwhile.
"""

from django.db import migrations, models

import webapp.language.migrating


class Migration(migrations.Migration):
    dependencies = [("inference", "0001_initial")]

    operations = [
        migrations.AddField(
            "chunk",
            "reason",
            models.JSONField(
                editable=False,
                help_text="What stopped the last attempt.",
                null=True,
            ),
        ),
        *webapp.language.migrating.carry_over("chunk", "inference_chunk", "error"),
    ]
