"""Pages run under a policy that allows no inline script, style or handler; templates must not try."""

import re
from pathlib import Path

import pytest

from tests.guards.source import APPS, ROOT

TEMPLATES = sorted(path for folder in ("templates", *APPS) for path in (ROOT / folder).rglob("*.html"))
FORBIDDEN = {
    "an inline script": r"<script(?![^>]*\bsrc=)[^>]*>",
    "an inline style": r"<style\b",
    "a style attribute": r"<[^>{%]*\sstyle\s*=",
    "an event attribute": r"<[^>]*\son[a-z]+\s*=",
    "an htmx event attribute": r"\bhx-on\b",
    "a script address": r"(?i)javascript:|[\"']js:",
    "a foreign address": r"<(?:script|link|img|iframe)[^>]*(?:src|href)\s*=\s*[\"'](?:https?:)?//",
    "unescaped output": r"\|\s*safe\b|\{%\s*autoescape\s+off",
}


def test_there_are_templates_to_guard() -> None:
    assert len(TEMPLATES) > 10


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_template_needs_no_exception_from_the_policy(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    found = {what: re.findall(pattern, text) for what, pattern in FORBIDDEN.items()}
    assert {what: hits for what, hits in found.items() if hits} == {}


def test_a_button_of_a_passkey_waits_for_its_script() -> None:
    """A press before the script listens would post the form without a passkey."""
    buttons = [
        tag for path in TEMPLATES for tag in re.findall(r"<button[^>]*data-passkey-start[^>]*>", path.read_text())
    ]
    assert len(buttons) >= 5
    assert [tag for tag in buttons if " disabled" not in tag] == []
