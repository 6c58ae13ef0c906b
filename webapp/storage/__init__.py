"""The object store: the only module that speaks S3."""
