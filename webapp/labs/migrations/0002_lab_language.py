from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("labs", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="lab",
            name="language",
            field=models.CharField(
                db_default="en",
                default="en",
                help_text="In which its people read pages and messages: a code of settings.LANGUAGES.",
                max_length=16,
            ),
        ),
    ]
