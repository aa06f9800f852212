"""The effective access of a member, as a page beside the rules in the console."""

from itertools import islice
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse

from accounts.console import administered
from accounts.models import Membership
from accounts.policies import actor_for
from catalog import access
from catalog.models import Context

MOST = 500


class AccessForm(forms.Form):
    """Whose access, in which context, to which models; only people of administered workspaces are there."""

    member = forms.ModelChoiceField(queryset=Membership.objects.none())
    context = forms.ChoiceField(choices=Context.choices, required=False)
    q = forms.CharField(max_length=200, required=False, label="Models")

    def __init__(self, data: Any, people: QuerySet[Membership]) -> None:
        super().__init__(data)
        chosen: Any = self.fields["member"]
        chosen.queryset = people
        chosen.label_from_instance = lambda row: f"{row.user.email} ({row.role}, {row.workspace.name})"


def page(request: HttpRequest, context: dict[str, Any]) -> TemplateResponse:
    """`?member=` is a membership; without a form that makes sense there is only the form."""
    people = Membership.objects.filter(workspace__in=administered(request.user))
    form = AccessForm(request.GET or None, people.select_related("user", "workspace").order_by("user__email", "pk"))
    values: dict[str, Any] = {"form": form, "rows": [], "whose": None, "more": False}
    if form.is_valid():
        given = form.cleaned_data
        whose: Membership = given["member"]
        rows = access.of(actor_for(whose), given["context"] or Context.CHAT.value, given["q"])
        found = list(islice(rows, MOST + 1))
        values |= {"rows": found[:MOST], "whose": whose, "more": len(found) > MOST}
        values["usable"] = sum(one.usable for one in found[:MOST])
    return TemplateResponse(request, "admin/catalog/rule/access.html", context | values)
