from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("cases", "0004_image_content"),
    ]

    operations = [
        migrations.AddField(
            model_name="image",
            name="media_type",
            field=models.CharField(
                blank=True,
                db_default="",
                help_text="Of the original, by its content; blank until it is decoded.",
                max_length=32,
            ),
        ),
    ]
