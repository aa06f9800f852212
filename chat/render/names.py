"""What models, providers and credentials are called on a page."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from catalog.models import LanguageModel
from chat import provenance
from chat.models import Run
from providers import credential_words
from providers.registry import Provider, providers

CREDENTIALS = {
    "request": "the key named in the request",
    "own": "your key",
    "workspace": "workspace key",
    "environment": "installation key",
    "sandbox": "sandbox",
}


@dataclass(frozen=True, slots=True)
class By:
    """Who answers: `key` is `provider/model_id` or empty while nobody is chosen; `credential` a phrase, may be empty.

    `first_word` is in seconds, `tokens` the length of the answer; both are None until the run has ended. `fallback`
    says that another one was asked first, `why` what became of each credential. `total` counts the tokens of its
    specialists as well. `toolless` says that the conversation's tools were
    kept from a model that is not known to take any.
    """

    key: str = ""
    label: str = ""
    credential: str = ""
    first_word: float | None = None
    tokens: int | None = None
    fallback: bool = False
    why: tuple[str, ...] = ()
    total: int | None = None
    toolless: bool = False

    @property
    def provider_id(self) -> str:
        return self.key.partition("/")[0]

    @property
    def provider(self) -> Provider | None:
        return providers().get(self.provider_id)

    @property
    def provider_label(self) -> str:
        return self.provider.label if self.provider else self.provider_id.capitalize()

    @property
    def letter(self) -> str:
        return self.provider.letter if self.provider else (self.provider_id[:1].upper() or "?")


def labels_of(keys: Iterable[str]) -> dict[str, str]:
    """The catalog's labels of these models, by key; a model that has left it is missing. One query, or none."""
    wanted = {key for key in keys if key}
    if not wanted:
        return {}
    ids = {key.partition("/")[2] for key in wanted}
    rows = LanguageModel.objects.filter(model_id__in=ids).values_list("provider_id", "model_id", "label")
    found = {f"{provider_id}/{model_id}": label for provider_id, model_id, label in rows}
    return {key: found[key] for key in wanted if key in found}


def credential_phrase(source: str, hint: str, kind: str = "") -> str:
    phrase = CREDENTIALS.get(source, source)
    if kind == "session":
        phrase = phrase.replace("key", "session")
    return f"{phrase} {hint}" if source in {"own", "request"} and hint else phrase


def by_of(run: Run, labels: Mapping[str, str], children: Sequence[Run] = ()) -> By:
    """`children` are the runs that it delegated."""
    key = run.served_model or run.requested_model
    waited = (run.first_content_at - run.created_at).total_seconds() if run.first_content_at else None
    return By(
        key,
        label_of(key, labels),
        credential_phrase(run.credential_source, run.credential_hint, provenance.kind(run)),
        waited if run.ended_at else None,
        run.usage.get("output_tokens"),
        any(line["state"] == "fallback" for line in run.trace.get("attempts", ())) or bool(provenance.stand_in(run)),
        _why(run) if run.ended_at else (),
        sum(each.usage.get("output_tokens") or 0 for each in (run, *children)) if children and run.ended_at else None,
        "tools_off" in run.trace,
    )


def _why(run: Run) -> tuple[str, ...]:
    """The credential that answered and why, then each that was looked at."""
    trace = run.trace.get("credentials", ())
    first = credential_words.because(trace)
    return (first, *(credential_words.said(line) for line in trace)) if first else ()


def moves_of(run: Run, labels: Mapping[str, str]) -> list[tuple[str, str, By]]:
    """The fallbacks of a run: the name of the model that failed, the code of the failure, and who came next."""
    lines = run.trace.get("attempts", [])
    moves = []
    if reason := provenance.stand_in(run):
        used = next(line for line in run.trace["credentials"] if line.get("fallback_applied"))
        moves.append(("", reason, By("", "", credential_phrase(used["source"], used["hint"]))))
    for before, after in pairwise(lines):
        if after["state"] == "fallback":
            failed = label_of(f"{before['provider_id']}/{before['model_id']}", labels)
            key = f"{after['provider_id']}/{after['model_id']}"
            told = (after["credential_source"], after["credential_hint"], after.get("credential_kind", ""))
            moves.append((failed, before["outcome"], By(key, label_of(key, labels), credential_phrase(*told))))
    return moves


def by_started(data: Mapping[str, Any], labels: Mapping[str, str]) -> By:
    """From the `status` event that opens a run or moves it to another model."""
    key = str(data.get("model") or data.get("requested") or "")
    told = (str(data.get(name, "")) for name in ("credential", "hint", "kind"))
    phrase = credential_phrase(*told)
    return By(key, label_of(key, labels), phrase, fallback=data.get("state") == "fallback")


def label_of(key: str, labels: Mapping[str, str]) -> str:
    return labels.get(key) or key.partition("/")[2]
