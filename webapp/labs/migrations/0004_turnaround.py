import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("labs", "0003_classes"),
    ]

    operations = [
        migrations.AddField(
            model_name="lab",
            name="turnaround_routine",
            field=models.PositiveSmallIntegerField(
                help_text="Hours from a specimen's receipt until its result is due, for cases of this priority; empty: no time.",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="lab",
            name="turnaround_stat",
            field=models.PositiveSmallIntegerField(
                help_text="Hours from a specimen's receipt until its result is due, for cases of this priority; empty: no time.",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="lab",
            name="turnaround_urgent",
            field=models.PositiveSmallIntegerField(
                help_text="Hours from a specimen's receipt until its result is due, for cases of this priority; empty: no time.",
                null=True,
            ),
        ),
        migrations.AlterField(
            model_name="apitoken",
            name="scopes",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(
                    choices=[
                        ("view_cases", "See cases, their images and counts"),
                        ("create_cases", "Create cases"),
                        ("upload_images", "Upload images to a case"),
                        ("requeue_failed", "Send failed images to the model again"),
                        ("view_identifiers", "See who the patient is"),
                        ("edit_identifiers", "Enter and correct who the patient is"),
                        ("decide", "Decide of what class a cell is"),
                        ("sign", "Sign the result of a case"),
                        ("amend", "Amend a signed result"),
                        ("read_second", "Read a case a second time, without seeing the first reading"),
                        ("assign", "Assign cases to people"),
                        ("approve", "Approve reference ranges, rules and exports"),
                        ("read_reports", "Read signed reports"),
                        ("request_exports", "Ask for exports of signed cases, and fetch them"),
                        ("view_signed_cells", "See the cells of signed cases, and not whose they are"),
                        ("view_metrics", "See how much the lab does, and how fast"),
                        ("do_exercises", "Do exercises on cells that were decided"),
                        ("view_models", "See the models, their versions and what they are worth"),
                        ("use_tokens", "Use the API with tokens of one's own"),
                        ("view_audit", "See the audit trail"),
                        ("manage_tokens", "See and revoke the API tokens of others"),
                        ("manage_members", "Invite people, set their roles, deactivate and remove them"),
                        ("manage_roles", "Change what each role may do"),
                        (
                            "manage_lab",
                            "Set the lab's language, time zone, scanners, classes of cells, full count and turnaround",
                        ),
                    ],
                    max_length=32,
                ),
                help_text="What it may do at most; empty: whatever its owner may.",
                null=True,
                size=None,
            ),
        ),
    ]
