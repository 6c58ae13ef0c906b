"""The HTTP API and its document."""

from webapp.config.settings.http import PROXIES

# --- API ----------------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "webapp.api.authentication.ApiTokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["webapp.api.permissions.LabPermission"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["webapp.api.parsing.BoundedJSONParser"],
    "UNICODE_JSON": False,  # what was sent may come back in an error, and need not be fit for UTF-8
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_THROTTLE_CLASSES": ["webapp.api.throttles.PerToken"],
    "EXCEPTION_HANDLER": "webapp.api.errors.handle",
    "NUM_PROXIES": PROXIES,  # sign-in rates go by address
}
SPECTACULAR_SETTINGS = {
    "TITLE": "HematoVision API",
    "DESCRIPTION": (
        "Blood-cell images in, a differential count out. Not a cleared medical device: every suggestion "
        "must be confirmed by a qualified person."
    ),
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "ENUM_NAME_OVERRIDES": {
        "JobKind": "webapp.api.jobs.serializers.CHOICES",
        "JobState": "webapp.jobs.models.Job.State",
        "ImageStatus": "webapp.cases.models.Image.Status",
        "ReadingKind": "webapp.review.models.Reading.Kind",
        "NewReadingKind": "webapp.api.review.serializers.OPENED",
        "RangeQuantity": "webapp.ranges.models.Quantity",
        "RangeClass": "webapp.api.ranges.serializers.MEASURED",
        "RangeSex": "webapp.ranges.models.Sex",
        "RuleQuantity": "webapp.rules.conditions.Quantity",
        "RuleClass": "webapp.api.rules.serializers.CLASSES",
        "CaseReview": "webapp.cases.models.Review",
        "WantedReview": "webapp.worklist.filters.REVIEW_CHOICES",
        "ModelVersionStatus": "webapp.registry.models.Status",
        "SexEnum": "webapp.patients.identifiers.Sex",
    },
}
