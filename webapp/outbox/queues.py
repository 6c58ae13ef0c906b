from django.db import models


class Queue(models.TextChoices):
    """The Celery queues: a person waiting at the screen is never behind a night's bulk upload."""

    INTERACTIVE = "interactive", "Interactive"
    BULK = "bulk", "Bulk"
