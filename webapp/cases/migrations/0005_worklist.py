import django.contrib.postgres.indexes
import django.db.models.functions.text
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # an index is built beside what people do

    dependencies = [
        ("cases", "0004_request_and_replacements"),
    ]

    operations = [
        migrations.AddField(
            model_name="case",
            name="assigned_at",
            field=models.DateTimeField(help_text="Since when it is the assignee's.", null=True),
        ),
        migrations.AlterField(
            model_name="case",
            name="due_at",
            field=models.DateTimeField(
                help_text="By the lab's turnaround; empty: it has none. A trigger of `webapp.worklist` writes it.",
                null=True,
            ),
        ),
        AddIndexConcurrently(
            model_name="case",
            index=models.Index(
                condition=models.Q(("review__in", ["signed", "amended", "void"]), _negated=True),
                fields=["lab", "due_at", "created_at", "id"],
                name="case_by_due",
            ),
        ),
        AddIndexConcurrently(
            model_name="case",
            index=models.Index(
                condition=models.Q(("review__in", ["signed", "amended", "void"]), _negated=True),
                fields=["lab", "-priority", "created_at", "id"],
                name="case_by_priority",
            ),
        ),
        AddIndexConcurrently(
            model_name="case",
            index=models.Index(
                condition=models.Q(("review__in", ["signed", "amended", "void"]), _negated=True),
                fields=["lab", "created_at", "id"],
                name="case_by_age",
            ),
        ),
        AddIndexConcurrently(
            model_name="case",
            index=models.Index(
                condition=models.Q(("review__in", ["signed", "amended", "void"]), _negated=True),
                fields=["assignee", "lab"],
                name="case_by_assignee",
            ),
        ),
        AddIndexConcurrently(
            model_name="case",
            index=models.Index(
                models.F("lab"),
                django.contrib.postgres.indexes.OpClass(
                    django.db.models.functions.text.Upper("accession"), "varchar_pattern_ops"
                ),
                name="case_by_accession_start",
            ),
        ),
    ]
