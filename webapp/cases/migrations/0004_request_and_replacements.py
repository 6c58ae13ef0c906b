from decimal import Decimal

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import webapp.crypto.fields


class Migration(migrations.Migration):
    dependencies = [
        ("cases", "0003_request_and_worklist"),
        ("labs", "0003_classes"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ServiceRequest",
            fields=[
                (
                    "case",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="service_request",
                        serialize=False,
                        to="cases.case",
                    ),
                ),
                ("requester", webapp.crypto.fields.EncryptedTextField(default="", key="case.patient.key")),
                (
                    "clinical_question",
                    webapp.crypto.fields.EncryptedTextField(default="", key="case.patient.key"),
                ),
                (
                    "lab",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="labs.lab"
                    ),
                ),
            ],
        ),
        migrations.AddField(
            model_name="image",
            name="replaced_by",
            field=models.ForeignKey(
                help_text="What was given in its place: a refused or failed file with one is accounted for.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="replaces",
                to="cases.image",
            ),
        ),
        migrations.AddField(
            model_name="image",
            name="uploaded_by",
            field=models.ForeignKey(
                help_text="Who gave it; empty: files from before this was kept.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddIndex(
            model_name="image",
            index=models.Index(
                condition=models.Q(
                    ("replaced_by", None),
                    ("status__in", ["refused", "failed"]),
                    models.Q(("refusal", "duplicate"), _negated=True),
                ),
                fields=["lab", "-id"],
                name="image_outstanding",
            ),
        ),
        migrations.AddConstraint(
            model_name="analysercount",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("wbc", None), models.Q(("wbc__gt", 0), ("wbc__lte", Decimal("1000"))), _connector="OR"
                ),
                name="analyser_wbc_can_be",
            ),
        ),
        migrations.AddConstraint(
            model_name="analysercount",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("haemoglobin", None),
                    models.Q(("haemoglobin__gt", 0), ("haemoglobin__lte", Decimal("300"))),
                    _connector="OR",
                ),
                name="analyser_haemoglobin_can_be",
            ),
        ),
        migrations.AddConstraint(
            model_name="analysercount",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("platelets", None),
                    models.Q(("platelets__gte", 0), ("platelets__lte", Decimal("10000"))),
                    _connector="OR",
                ),
                name="analyser_platelets_can_be",
            ),
        ),
        migrations.AddConstraint(
            model_name="analysercount",
            constraint=models.CheckConstraint(
                condition=models.Q(("wbc_is_corrected", None), ("wbc__isnull", False), _connector="OR"),
                name="analyser_corrected_wbc_is_there",
            ),
        ),
    ]
