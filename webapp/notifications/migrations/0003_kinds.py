from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("notifications", "0002_second_readers"),
    ]

    operations = [
        migrations.AlterField(
            model_name="notification",
            name="kind",
            field=models.CharField(
                choices=[
                    ("upload_finished", "All images of a case of mine are classified"),
                    ("files_unusable", "Files of a case of mine were refused or failed"),
                    ("second_reader", "I am asked to read a case second, or may"),
                    ("readings_compared", "Both readings of a case that I read are finished"),
                    ("job_ended", "An export of mine is ready, or failed"),
                    ("case_assigned", "A case is assigned to me"),
                    ("cases_overdue", "Cases are overdue that are mine, or nobody's and mine to assign"),
                    ("cases_released", "Cases are mine to assign again, because those who had them left"),
                ],
                max_length=32,
            ),
        ),
        migrations.AlterField(
            model_name="preference",
            name="kind",
            field=models.CharField(
                choices=[
                    ("upload_finished", "All images of a case of mine are classified"),
                    ("files_unusable", "Files of a case of mine were refused or failed"),
                    ("second_reader", "I am asked to read a case second, or may"),
                    ("readings_compared", "Both readings of a case that I read are finished"),
                    ("job_ended", "An export of mine is ready, or failed"),
                    ("case_assigned", "A case is assigned to me"),
                    ("cases_overdue", "Cases are overdue that are mine, or nobody's and mine to assign"),
                    ("cases_released", "Cases are mine to assign again, because those who had them left"),
                ],
                max_length=32,
            ),
        ),
    ]
