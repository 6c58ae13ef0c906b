import django.contrib.postgres.fields
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("cases", "0002_image_reason"),
        ("labs", "0003_classes"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="case",
            name="assignee",
            field=models.ForeignKey(
                help_text="Whose work it is now; empty: anybody's.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="case",
            name="due_at",
            field=models.DateTimeField(help_text="By the lab's turnaround; empty: it has none.", null=True),
        ),
        migrations.AddField(
            model_name="case",
            name="flags",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=2),
                db_default=models.Value(
                    [],
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=2), size=None
                    ),
                ),
                default=list,
                help_text="Of its reviewed differential, or of the suggested one until something is decided.",
                size=None,
            ),
        ),
        migrations.AddField(
            model_name="case",
            name="priority",
            field=models.PositiveSmallIntegerField(
                choices=[(0, "Routine"), (1, "Urgent"), (2, "Stat")], db_default=0, default=0
            ),
        ),
        migrations.CreateModel(
            name="AnalyserCount",
            fields=[
                (
                    "case",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="analyser_count",
                        serialize=False,
                        to="cases.case",
                    ),
                ),
                (
                    "wbc",
                    models.DecimalField(
                        decimal_places=3, help_text="White cells, 10^9/L.", max_digits=7, null=True
                    ),
                ),
                (
                    "wbc_is_corrected",
                    models.BooleanField(
                        help_text="Whether the analyser took erythroblasts off already; empty: nobody has said.",
                        null=True,
                    ),
                ),
                (
                    "haemoglobin",
                    models.DecimalField(decimal_places=1, help_text="g/L.", max_digits=5, null=True),
                ),
                (
                    "platelets",
                    models.DecimalField(decimal_places=1, help_text="10^9/L.", max_digits=7, null=True),
                ),
                ("entered_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "entered_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "lab",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="labs.lab"
                    ),
                ),
            ],
        ),
    ]
