"""Static files under names that tell their content, so that browsers keep them for good; and compressed."""

from whitenoise.storage import CompressedManifestStaticFilesStorage

# Django can look for all forms of imports in all scripts, and stumbles over comments of other packages.
_IMPORT = (r'(?P<matched>\bfrom "(?P<url>\.[^"]+)";)', 'from "%(url)s";')


class ModuleStaticFilesStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # it carries no types
    """Names the modules that our scripts import by their content, too."""

    patterns = (*CompressedManifestStaticFilesStorage.patterns, ("ui/*.js", (_IMPORT,)))
    max_post_process_passes = 12  # each deals with one import more of a chain
