"""The shipped data file: its shape and size, and that the same sources give the same bytes. No network."""

import json
import zipfile
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from catalog.data import build, literals, pricing
from catalog.data.wheels import SOURCES, Missing, Wheels
from catalog.evidence import ABILITIES
from providers import registry

ENTRY = {
    "label",
    "released",
    "context_window",
    "max_output_tokens",
    "can",
    "cannot",
    "efforts",
    "prices",
    "retires",
    "successor",
}
PROFILES = '''"""Data."""
_PROFILES: dict[str, dict[str, object]] = {
    "big-1": {"name": "Big 1", "release_date": "2026-01-02", "max_input_tokens": 1000, "max_output_tokens": 100,
              "text_outputs": True, "tool_calling": True, "image_inputs": False, "reasoning_output": True},
    "painter": {"name": "Painter", "image_outputs": True},
}
'''
PRICES = """from .types import *
providers: list[Provider] = [
    Provider(id='openai', models=[
        ModelInfo(id='big-1', match=ClauseOr(or_=[ClauseEquals(equals='big-1')]), prices=[
            ConditionalPrice(prices=ModelPrice(input_mtok=Decimal('5'), output_mtok=Decimal('30'))),
            ConditionalPrice(constraint=StartDateConstraint(start_date=datetime.date(2026, 8, 1)),
                prices=ModelPrice(input_mtok=TieredPrices(base=Decimal('4'), tiers=[]), output_mtok=Decimal('20'),
                    cache_read_mtok=Decimal('0.4')))]),
    ]),
]
"""
KNOWN = {"big-1": {"deprecation_date": "2027-01-01", "supports_low_reasoning_effort": True}}


def wheels(place: Path) -> Path:
    members = {package: {member: PROFILES} for package, member in build.PROFILES.values()}
    members |= {"litellm": {build.LITELLM: json.dumps(KNOWN)}, "genai-prices": {build.PRICES: PRICES}}
    for package, files in members.items():
        name = f"{package.replace('-', '_')}-{SOURCES[package]}-py3-none-any.whl"
        with zipfile.ZipFile(place / name, "w") as archive:
            for member, text in files.items():
                archive.writestr(member, text)
    return place


@pytest.fixture
def overlay(tmp_path: Path) -> Path:
    path = tmp_path / "overlay.json"
    ours = {"openai": {"big-1": {"successor": "openai/big-2"}, "big-2": {"label": "Big 2", "can": ["tools"]}}}
    path.write_text(json.dumps({"written_on": "2026-11-25", "models": ours}))
    return path


def test_the_sources_come_together_one_after_the_other(tmp_path: Path, overlay: Path) -> None:
    made = build.assemble(Wheels(wheels(tmp_path)), overlay)
    assert list(made["models"]["openai"]) == ["big-1", "big-2"], "what does not chat is left out"
    assert made["models"]["openai"]["big-1"] == {
        "label": "Big 1",
        "released": "2026-01-02",
        "context_window": 1000,
        "max_output_tokens": 100,
        "can": ["reasoning", "tools"],
        "cannot": ["vision"],
        "efforts": ["low"],
        "retires": "2027-01-01",
        "prices": [
            {"input": "5", "output": "30"},
            {"from": "2026-08-01", "input": "4", "output": "20", "cached": "0.4"},
        ],
        "successor": "openai/big-2",
    }


def test_the_same_sources_give_the_same_bytes(tmp_path: Path) -> None:
    place = wheels(tmp_path)
    first, second = tmp_path / "1.json", tmp_path / "2.json"
    for target in (first, second):
        call_command("build_catalog", str(place), to=target, stdout=StringIO())
    assert first.read_bytes() == second.read_bytes()
    assert json.loads(first.read_text())["models"]["openai"]["big-1"]["label"] == "Big 1"


def test_what_is_missing_is_said(tmp_path: Path) -> None:
    with pytest.raises(Missing, match="no litellm-1"):
        Wheels(tmp_path).text("litellm", "x.json")
    with pytest.raises(CommandError):
        call_command("build_catalog", str(tmp_path), stdout=StringIO())


def test_code_is_read_and_never_run() -> None:
    assert literals.variable("x = [len('a'), -2, {'a': f(b=1)}]", "x") == [
        {"is": "len('a')"},
        -2,
        {"a": {"is": "f", "b": 1}},
    ]
    for source, error in (("x = 1", KeyError), ("y = [a for a in b]", ValueError)):
        with pytest.raises(error):
            literals.variable(source, "y")


@pytest.mark.parametrize(
    ("clause", "name", "takes"),
    [
        ({"is": "ClauseStartsWith", "starts_with": "gpt"}, "gpt-1", True),
        ({"is": "ClauseEndsWith", "ends_with": "-x"}, "gpt-1", False),
        ({"is": "ClauseRegex", "regex": r"^a\d$"}, "a1", True),
        ({"is": "ClauseContains", "contains": "pt"}, "gpt", True),
        ({"is": "ClauseFromTheFuture"}, "gpt", False),
    ],
)
def test_their_rules_for_names_are_followed(clause: dict[str, Any], name: str, takes: bool) -> None:
    assert pricing.matches(clause, name) is takes


def test_the_file_that_is_shipped_is_small_and_says_what_it_may() -> None:
    text = build.TARGET.read_text()
    assert 20_000 < len(text.encode()) < 100_000
    data = json.loads(text)
    assert build.render(data) == text, "made by the command, not by hand"
    assert set(data["models"]) <= set(registry.providers())
    for provider_id, models in data["models"].items():
        for name, entry in models.items():
            where = f"{provider_id}/{name}"
            assert entry.keys() <= ENTRY, where
            assert set(entry.get("can", [])) | set(entry.get("cannot", [])) <= set(ABILITIES), where
            assert not set(entry.get("can", [])) & set(entry.get("cannot", [])), where
            for price in entry.get("prices", []):
                assert min(Decimal(price["input"]), Decimal(price["output"])) >= 0, where
            if successor := entry.get("successor"):
                provider, _, model_id = successor.partition("/")
                assert model_id in data["models"][provider], where


def test_the_notices_of_its_sources_are_beside_it() -> None:
    notices = (build.HERE / "LICENSES.txt").read_text()
    assert all(package in notices for package in SOURCES)
