"""Addresses of the conversation pages."""

from django.urls import path

from chat import attachments_views, documents_views, structured_views, usage_views, views

app_name = "chat"
urlpatterns = [
    path("", views.new, name="new"),
    path("search/", views.find, name="search"),
    path("specialists/", views.team, name="specialists"),
    path("settings/usage/", usage_views.usage, name="usage"),
    path("structured/", structured_views.ask, name="structured"),
    path("structured/<uuid:pk>/", structured_views.shown, name="structured-run"),
    path("structured/<uuid:pk>/stop/", structured_views.stop, name="structured-stop"),
    path("documents/", documents_views.library, name="documents"),
    path("documents/<uuid:pk>/", documents_views.document, name="document"),
    path("documents/<uuid:pk>/act/", documents_views.act, name="document-act"),
    path("documents/<uuid:pk>/delete/", documents_views.delete, name="document-delete"),
    path("documents/<uuid:pk>/file/", documents_views.download, name="document-file"),
    path("documents/<uuid:pk>/pages/<int:number>/", documents_views.page, name="document-page"),
    path("attachments/<uuid:pk>/", attachments_views.download, name="attachment"),
    path("attachments/<uuid:pk>/preview/", attachments_views.preview, name="attachment-preview"),
    path("attachments/<uuid:pk>/remove/", attachments_views.remove, name="attachment-remove"),
    path("c/<uuid:pk>/", views.conversation, name="conversation"),
    path("c/<uuid:pk>/act/", views.act, name="act"),
    path("c/<uuid:pk>/summary/", views.summarise, name="summarise"),
    path("c/<uuid:pk>/ring/", views.ring, name="ring"),
    path("c/<uuid:pk>/context/", views.choose_context, name="context"),
    path("c/<uuid:pk>/model/", views.choose_model, name="model"),
    path("c/<uuid:pk>/rename/", views.rename, name="rename"),
    path("c/<uuid:pk>/delete/", views.delete, name="delete"),
]
