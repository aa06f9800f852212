"""What an administrator enters about a specialist."""

from typing import TYPE_CHECKING, Any

from django import forms

from chat.models import Specialist

if TYPE_CHECKING:
    ModelForm = forms.ModelForm[Specialist]
else:
    ModelForm = forms.ModelForm


class SpecialistForm(ModelForm):
    """`tools` are keys of tools, one a line."""

    tools = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 3}), required=False, help_text="Keys of /api/v1/tools/, one a line."
    )

    class Meta:
        model = Specialist
        fields = ("workspace", "name", "slug", "description", "instructions", "model", "tools", "enabled", "order")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["tools"] = "\n".join(self.instance.tools)

    def clean_tools(self) -> list[str]:
        return [name.strip()[:64] for name in self.cleaned_data["tools"].splitlines() if name.strip()][:40]
