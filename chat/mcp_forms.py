"""The console's form for an MCP server: its token goes in and never comes back out."""

from typing import TYPE_CHECKING, Any

from django import forms

from chat.models import McpServer
from chat.tools import rows
from providers import pasted

if TYPE_CHECKING:
    ModelForm = forms.ModelForm[McpServer]
else:
    ModelForm = forms.ModelForm


class McpServerForm(ModelForm):
    """`token` and `names` are fields of the form alone."""

    token = forms.CharField(
        label="Bearer token",
        required=False,
        max_length=rows.SECRET_CHARS,
        widget=forms.PasswordInput(render_value=False, attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text="Encrypted, and not shown again. Left empty, the one that is there stays, unless the URL changes.",
    )
    names = forms.CharField(
        label="Allowed tools",
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        max_length=8_000,
        help_text="One name a line, as the server calls them. Left empty, all may be called.",
    )

    class Meta:
        model = McpServer
        fields = ("workspace", "name", "url", "enabled", "seconds")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["names"].initial = "\n".join(self.instance.allowed)

    def clean_url(self) -> str:
        return self._accepted(rows.accepted_url, "url")

    def clean_token(self) -> str:
        return self._accepted(rows.accepted_secret, "token")

    def clean_names(self) -> list[str]:
        lines = (line.strip() for line in self.cleaned_data["names"].splitlines())
        return list(dict.fromkeys(line for line in lines if line))

    def keep(self) -> McpServer:
        """Store what was entered. Call only on a valid form."""
        row: McpServer = super().save(commit=False)
        row.allowed = self.cleaned_data["names"]
        return rows.keep(row, self.cleaned_data["token"], moved="url" in self.changed_data)

    def _accepted(self, judge: Any, name: str) -> str:
        try:
            value: str = judge(self.cleaned_data[name])
        except pasted.Refused as refused:
            raise forms.ValidationError(str(refused)) from None
        return value
