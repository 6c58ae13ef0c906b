"""The web process: `gunicorn webapp.config.wsgi`."""

from django.core.wsgi import get_wsgi_application

from webapp.config.environment import set_up
from webapp.telemetry import tracing

set_up()
tracing.set_service_name("web")
application = get_wsgi_application()
