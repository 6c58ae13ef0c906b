"""Why an image was refused or failed is kept as a sentence that is said in the language of whoever reads it.

The old column stays until the next release, with a default: the release before writes and reads it meanwhile.
"""

from django.db import migrations, models

import webapp.language.migrating


class Migration(migrations.Migration):
    dependencies = [("cases", "0001_initial")]

    operations = [
        migrations.AddField(
            "image",
            "reason",
            models.JSONField(
                editable=False,
                help_text="What exactly was wrong; empty where `refusal` says it all.",
                null=True,
            ),
        ),
        *webapp.language.migrating.carry_over("image", "cases_image", "detail"),
    ]
