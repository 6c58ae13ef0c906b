"""Static files under names that tell their content, so that browsers may keep them for good."""

from django.contrib.staticfiles.storage import ManifestStaticFilesStorage

# Django can look for all forms of imports in all scripts, and stumbles over comments of other packages.
_IMPORT = (r'(?P<matched>\bfrom "(?P<url>\.[^"]+)";)', 'from "%(url)s";')


class ModuleStaticFilesStorage(ManifestStaticFilesStorage):
    """Names the modules that our scripts import by their content, too."""

    patterns = (*ManifestStaticFilesStorage.patterns, ("ui/*.js", (_IMPORT,)))
