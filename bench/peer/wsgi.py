"""What gunicorn serves: the admin and its scripts."""

import os

from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bench.peer.settings")
application = StaticFilesHandler(get_wsgi_application())
