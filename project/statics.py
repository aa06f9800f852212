"""Static files with a content hash in their names, imports between script modules included."""

from django.contrib.staticfiles.storage import ManifestStaticFilesStorage


class HashedStaticFiles(ManifestStaticFilesStorage):
    support_js_module_import_aggregation = True
