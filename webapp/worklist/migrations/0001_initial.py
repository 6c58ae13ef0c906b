import django.db.models.deletion
import django.db.models.functions.text
from django.db import migrations, models

# When a case is due follows from three tables, so the database sees to it, whoever writes them. Only what is
# created while a lab changes its turnaround may miss it (`webapp.worklist.turnaround.mend`).
DUE_AT = """
    CREATE FUNCTION worklist_due_at(lab uuid, priority smallint, since timestamptz) RETURNS timestamptz
    LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
        SELECT since + make_interval(hours => CASE priority
            WHEN 2 THEN turnaround_stat WHEN 1 THEN turnaround_urgent ELSE turnaround_routine END)
        FROM labs_lab WHERE id = lab
    $$;
    CREATE FUNCTION worklist_case_due() RETURNS trigger LANGUAGE plpgsql
    SET search_path = public, pg_temp AS $$
    BEGIN
        NEW.due_at := worklist_due_at(NEW.lab_id, NEW.priority, coalesce(
            (SELECT received_at FROM cases_specimen WHERE case_id = NEW.id), NEW.created_at));
        RETURN NEW;
    END $$;
    CREATE TRIGGER due_at BEFORE INSERT OR UPDATE OF priority, created_at, lab_id ON cases_case
        FOR EACH ROW EXECUTE FUNCTION worklist_case_due();
    CREATE FUNCTION worklist_specimen_due() RETURNS trigger LANGUAGE plpgsql
    SET search_path = public, pg_temp AS $$
    BEGIN
        IF TG_OP <> 'UPDATE' OR NEW.received_at IS DISTINCT FROM OLD.received_at THEN
            UPDATE cases_case SET priority = priority
            WHERE id = CASE WHEN TG_OP = 'DELETE' THEN OLD.case_id ELSE NEW.case_id END;
        END IF;
        RETURN NULL;
    END $$;
    CREATE TRIGGER due_at AFTER INSERT OR UPDATE OF received_at OR DELETE ON cases_specimen
        FOR EACH ROW EXECUTE FUNCTION worklist_specimen_due();
"""
NO_DUE_AT = """
    DROP TRIGGER due_at ON cases_specimen;
    DROP FUNCTION worklist_specimen_due();
    DROP TRIGGER due_at ON cases_case;
    DROP FUNCTION worklist_case_due();
    DROP FUNCTION worklist_due_at(uuid, smallint, timestamptz);
"""


class Migration(migrations.Migration):
    initial = True
    dependencies = [
        ("cases", "0005_worklist"),
        ("labs", "0004_turnaround"),
    ]

    operations = [
        migrations.CreateModel(
            name="Overdue",
            fields=[
                (
                    "case",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="overdue",
                        serialize=False,
                        to="cases.case",
                    ),
                ),
                ("due_at", models.DateTimeField()),
                ("found_at", models.DateTimeField()),
                (
                    "lab",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="labs.lab"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="SavedFilter",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(help_text="Never a patient's.", max_length=60)),
                ("query", models.JSONField(help_text="As `webapp.worklist.filters.Wanted.query` gives it.")),
                ("is_default", models.BooleanField(default=False, help_text="The worklist begins with it.")),
                (
                    "membership",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="labs.membership"
                    ),
                ),
            ],
            options={
                "ordering": ["name", "id"],
                "constraints": [
                    models.UniqueConstraint(
                        models.F("membership"),
                        django.db.models.functions.text.Lower("name"),
                        name="one_filter_per_name",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("is_default", True)),
                        fields=("membership",),
                        name="one_default_filter",
                    ),
                ],
            },
        ),
        migrations.RunSQL(DUE_AT, NO_DUE_AT),
    ]
