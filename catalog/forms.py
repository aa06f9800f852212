"""What the pages and the console post about models."""

from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

from django import forms
from django.db.models import QuerySet
from django.utils import timezone

from catalog.enrichment import enrich
from catalog.evidence import ABILITIES, forget, say, statement
from catalog.models import Context, LanguageModel
from catalog.prices import Price, with_price

if TYPE_CHECKING:
    ModelForm = forms.ModelForm[LanguageModel]
else:
    ModelForm = forms.ModelForm


class DefaultForm(forms.Form):
    """One default: `level` own or workspace; an empty `model` takes it away."""

    context = forms.ChoiceField(choices=Context.choices)
    level = forms.ChoiceField(choices=[("own", "own"), ("workspace", "workspace")])
    model = forms.CharField(required=False, max_length=201)


class SearchForm(forms.Form):
    """What the list of models is narrowed to."""

    q = forms.CharField(required=False, max_length=100)
    usable = forms.BooleanField(required=False)

    def found(self) -> dict[str, Any]:
        """Nonsense narrows nothing."""
        return self.cleaned_data if self.is_valid() else {"q": "", "usable": False}


class StatementForm(ModelForm):
    """What an administrator of the installation says of a model; it stands before what the lists say."""

    STATES: ClassVar = [
        ("", "As the lists say"),
        ("supported", "Works"),
        ("partial", "Works in part"),
        ("unsupported", "Does not work"),
    ]
    SAID: ClassVar = (*ABILITIES, "limits", "successor", "price_from", "price_input", "price_output", "price_cached")

    tools = forms.ChoiceField(choices=STATES, required=False)
    streaming = forms.ChoiceField(choices=STATES, required=False)
    vision = forms.ChoiceField(choices=STATES, required=False, label="Images")
    documents = forms.ChoiceField(choices=STATES, required=False)
    reasoning = forms.ChoiceField(choices=STATES, required=False)
    structured = forms.ChoiceField(choices=STATES, required=False, label="Structured output")
    temperature = forms.ChoiceField(choices=STATES, required=False)
    limits = forms.CharField(required=False, max_length=200, help_text="What does not work, where it works in part.")
    successor = forms.CharField(required=False, max_length=201, help_text="The key of the model meant to follow.")
    price_from = forms.DateField(required=False, label="New price from", help_text="YYYY-MM-DD")
    price_input = forms.DecimalField(required=False, min_value=0, label="Input, $ per 1M tokens")
    price_output = forms.DecimalField(required=False, min_value=0, label="Output, $ per 1M tokens")
    price_cached = forms.DecimalField(required=False, min_value=0, label="Cached input, $ per 1M tokens")

    class Meta:
        model = LanguageModel
        fields: ClassVar = ["successor"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for ability in ABILITIES:
            said = statement(self.instance, ability)
            if said.source == "administrator":
                self.fields[ability].initial = said.state
                self.fields["limits"].initial = said.limits or self.fields["limits"].initial

    def clean_successor(self) -> str:
        key: str = self.cleaned_data["successor"].strip()
        provider_id, _, model_id = key.partition("/")
        if key and not LanguageModel.objects.filter(provider_id=provider_id, model_id=model_id).exists():
            raise forms.ValidationError("No provider lists this model.")
        return key

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or self.cleaned_data
        if "partial" in (found.get(ability) for ability in ABILITIES) and not found.get("limits"):
            self.add_error("limits", "Say what does not work.")
        if (found.get("price_input") is None) != (found.get("price_output") is None):
            self.add_error("price_output", "A price is one for input and one for output.")
        return found

    def _post_clean(self) -> None:
        """Nothing is written to the row before all of it is known to be right; see `save`."""

    def save(self, commit: bool = True) -> LanguageModel:
        row, given, today = self.instance, self.cleaned_data, timezone.now().date()
        for ability in ABILITIES:
            state = given[ability]
            limits = given["limits"] if state == "partial" else ""
            if state:
                say(row, ability, state != "unsupported", "administrator", today, limits)
            else:
                forget(row, ability, "administrator")
        if given["successor"] != row.successor:
            forget(row, "successor", "administrator")
            say(row, "successor", given["successor"] or None, "administrator", today)
        if given["price_input"] is not None:
            new = Price(given["price_from"], given["price_input"], given["price_output"], given["price_cached"])
            say(row, "prices", with_price(row.prices, new), "administrator", today)
        enrich(row)
        if commit:
            row.save()
        return row

    def save_m2m(self) -> None:
        """There are no rows behind this one."""


class SuccessorForm(forms.Form):
    """Where to move, and for whom: `place` is a workspace, or empty for the whole installation."""

    to_model = forms.ModelChoiceField(queryset=LanguageModel.objects.none(), label="Move to")
    workspace = forms.ChoiceField(label="For")

    def __init__(
        self,
        *args: Any,
        others: QuerySet[LanguageModel],
        places: list[tuple[str, str]],
        everywhere: bool,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        choice: Any = self.fields["to_model"]
        choice.queryset = others
        where: Any = self.fields["workspace"]
        where.choices = [*places, ("all", "The whole installation")] if everywhere else places

    @property
    def place(self) -> UUID | None:
        chosen = self.cleaned_data["workspace"]
        return None if chosen == "all" else UUID(chosen)
