"""The web process: `gunicorn webapp.config.wsgi`."""

from django.core.wsgi import get_wsgi_application

from webapp.config.environment import set_up

set_up()
application = get_wsgi_application()
