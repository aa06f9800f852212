"""What the structured page posts: a schema, an input, a model. What is wrong with a schema is said with its place."""

from typing import Any

from django import forms

from chat import outputs, schemas
from chat.protocol import MAX_INPUT_CHARS
from chat.structured import Asking

EXAMPLES: dict[str, tuple[str, Any, str]] = {
    "contact": (
        "A contact",
        {
            "type": "object",
            "properties": {
                "name": {"type": "string"},
                "email": {"type": "string", "description": "Empty when none is given."},
                "topics": {"type": "array", "items": {"type": "string"}},
            },
            "required": ["name", "email", "topics"],
            "additionalProperties": False,
        },
        "Ada Lovelace (ada@example.com) writes about engines and numbers.",
    ),
    "ticket": (
        "A ticket",
        {
            "type": "object",
            "properties": {
                "title": {"type": "string", "maxLength": 80},
                "severity": {"enum": ["low", "medium", "high"]},
                "steps": {"type": "array", "items": {"type": "string"}},
            },
            "required": ["title", "severity", "steps"],
            "additionalProperties": False,
        },
        "Since this morning the export stops at 2 GB. Open a large report and press Export.",
    ),
    "invoice": (
        "An invoice",
        {
            "type": "object",
            "properties": {
                "number": {"type": "string"},
                "currency": {"enum": ["EUR", "USD", "GBP"]},
                "lines": {"type": "array", "items": {"$ref": "#/$defs/line"}},
            },
            "required": ["number", "currency", "lines"],
            "additionalProperties": False,
            "$defs": {
                "line": {
                    "type": "object",
                    "properties": {"text": {"type": "string"}, "amount": {"type": "number", "minimum": 0}},
                    "required": ["text", "amount"],
                    "additionalProperties": False,
                }
            },
        },
        "Invoice 2026-117: two days of review at 900 euros a day, and 40 euros for the train.",
    ),
}


class StructuredForm(forms.Form):
    schema = forms.CharField(strip=False, error_messages={"required": "Write a schema, or take an example."})
    input = forms.CharField(
        strip=False,
        max_length=MAX_INPUT_CHARS,
        error_messages={"required": "Say what the value is to be made of."},
    )
    model = forms.CharField(required=False, max_length=201)
    key = forms.CharField(required=False, max_length=120)

    def clean_schema(self) -> Any:
        """The schema as JSON; the text stays in the field."""
        text = self.cleaned_data["schema"]
        try:
            schema = outputs.parse(text)
            schemas.check(schema)
        except outputs.NotJson as error:
            raise forms.ValidationError(str(error)) from None
        except schemas.SchemaRefused as refused:
            line, column = outputs.place(text, refused.path)
            where = f" It is at {schemas.pointer(refused.path)}, line {line}, column {column}." if refused.path else ""
            raise forms.ValidationError(f"{refused}{where}") from None
        return schema

    def asking(self) -> Asking:
        data = self.cleaned_data
        return Asking(
            messages=(("user", data["input"].replace("\r\n", "\n")),),
            schema=data["schema"],
            model=data["model"],
            idempotency_key=data["key"],
        )


def example_of(name: str) -> dict[str, str] | None:
    """The fields of a named example, or None."""
    if name not in EXAMPLES:
        return None
    _, schema, said = EXAMPLES[name]
    return {"schema": outputs.shown(schema), "input": said}
