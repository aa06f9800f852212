"""The texts of the sandbox: Markdown a reader can use, and every kind of it a page must be able to show."""

import re

from providers.sandbox import reading
from providers.sandbox.asks import Ask, Attachment

REFUSAL = "I cannot help with this request. (The sandbox was asked to refuse.)"
# Emoji outside the basic plane, cut between their halves as byte-wise tokenizers do, among letters of 2 to 4 bytes.
SPLIT = ("An emoji ", "in two halves: ", "\ud83d", "\ude00", ", an é, ", "a 語 and ", "a family \ud83d", "\udc69.")

_LONGEST_QUOTE = 280

_HELLO = (
    "Hello! This is the **sandbox**: no model was called and nothing left this machine. "
    "It answers by fixed rules, so that everything around a model can be tried without a key."
)
_TRY = """## What you can try

- Ask for a *list*, a *table*, some *code* or *maths*; ask for *everything* to see all of it.
- Switch to another model and ask again: it sees the whole conversation.
- Write `/slow 5` for a slow answer, `/tokens 300` for a long one.
- Write `/fault cut after 20` or `/fault rate_limit` to see how a failure looks."""
_LIST = """## A list

1. First things first
   - with a detail below
   - and another one
2. Then the second
3. And *finally* the **third**, with a [link](https://example.com/)"""
_CODE = '''## Some code

```python
def fibonacci(count: int) -> list[int]:
    """The first `count` numbers of the sequence."""
    numbers = [0, 1]
    while len(numbers) < count:
        numbers.append(numbers[-1] + numbers[-2])
    return numbers[:count]


print(fibonacci(10))
```'''
_MATHS = r"""## Some maths

The roots of $ax^2 + bx + c = 0$ are

$$x = \frac{-b \pm \sqrt{b^2 - 4ac}}{2a}$$

and $\sum_{k=1}^{n} k = \frac{n(n+1)}{2}$."""

_TITLE = re.compile(r"\btitle of a conversation\b", re.IGNORECASE)
_TITLE_WORDS = 5
_SUMMARY = re.compile(r"\bsummary of a conversation\b", re.IGNORECASE)
_SUMMARY_LINES = 12
_SMALL = (
    "a about an and are can could do does for give how i in is it me my of on or please show tell that the this to "
    "us was we what which who why with write you your"
)
_SMALL_WORDS = frozenset(_SMALL.split())
_WORDS = {
    "list": r"\b(lists?|bullets?)\b",
    "table": r"\btables?\b",
    "code": r"\b(code|python|function|program)\b",
    "maths": r"\b(maths?|mathematics|formulas?|equations?|latex)\b",
    "everything": r"\b(everything|markdown)\b",
}


def reply(ask: Ask, text: str) -> str:
    """The ordinary answer: who speaks, what was said and seen, and the sections that were asked for."""
    if wants_title(ask):
        return title(text)
    if reading.wanted(ask):
        return reading.reply(text)
    if wants_summary(ask):
        return summary(text)
    asked = {name for name, pattern in _WORDS.items() if re.search(pattern, text, re.IGNORECASE)}
    if "everything" in asked:
        asked = {"try", *_WORDS}
    shown = asked or {"try", "table", "code"}
    parts = [_HELLO, _heard(ask, text), *(_attachment(one) for one in ask.prompt.attachments)]
    parts += [_TRY] * ("try" in shown) + [_LIST] * ("list" in shown) + [_table(ask)] * ("table" in shown)
    parts += [_CODE] * ("code" in shown) + [_MATHS] * ("maths" in shown)
    return "\n\n".join(parts)


def wants_title(ask: Ask) -> bool:
    return _TITLE.search(ask.system) is not None


def wants_summary(ask: Ask) -> bool:
    return _SUMMARY.search(ask.system) is not None


def summary(text: str) -> str:
    """Who said what, a line each, from a transcript whose turns have headings; or its beginning."""
    turns = re.split(r"^### ", text, flags=re.MULTILINE)[1:]
    said = [turn.split("\n", 1) for turn in turns]
    lines = [f"- {head.strip()}: {_short(' '.join(rest.split()), 70)}" for head, *more in said for rest in more]
    if len(lines) > _SUMMARY_LINES:
        lines[_SUMMARY_LINES:] = [f"- and {len(lines) - _SUMMARY_LINES} more"]
    told = "\n".join(lines) or _short(" ".join(text.split()), 300)
    return f"**In short** (by the sandbox, which read {len(said)} turns)\n\n{told}"


def title(text: str) -> str:
    """The telling words of the first line that was said, as a title."""
    said = next((line for line in text.splitlines() if line.strip() and not line.rstrip().endswith(":")), "")
    words = [word.strip(".,;:!?\"'()*`#") for word in said.split()]
    telling = [word for word in words if word and word.lower() not in _SMALL_WORDS][:_TITLE_WORDS]
    named = " ".join(telling)[:60] or "A conversation"
    return named[0].upper() + named[1:]


def after_tools(ask: Ask) -> str:
    """The answer that uses what tools gave back."""
    found = [f"- `{result.name or 'tool'}` answered: {_short(result.content, 600)}" for result in ask.results]
    many = "result" if len(found) == 1 else "results"
    opening = f"Here is what I found, with {len(found)} tool {many}:"
    return "\n\n".join([opening, "\n".join(found), "(The sandbox says so; no model was called.)"])


def reasoning(ask: Ask, text: str) -> str:
    """Thoughts in the manner of a reasoning summary: a bold title and a paragraph, twice."""
    yours, _ = ask.seen
    doing = "Tools have answered, so I use their results." if ask.results else "I look at what was asked for."
    return (
        f"**Reading the request**\n\nThe newest of {yours} messages has {len(text.split())} words. {doing} "
        f"There are {len(ask.tools)} tools to choose from.\n\n"
        f"**Planning the answer**\n\nI am a sandbox and think by fixed rules, with effort {ask.effort}. "
        "I say so, then I answer."
    )


def _heard(ask: Ask, text: str) -> str:
    yours, theirs = ask.seen
    said = "\n".join(f"> {line}" for line in _short(text, _LONGEST_QUOTE).splitlines()) if text else "*(no text)*"
    total = yours + theirs
    seen = f"I have seen {total} message{'s' * (total != 1)} here: {yours} from you and {theirs} from a model."
    first = next((message.text for message in ask.messages if message.role == "user" and message.text), "")
    began = f" The first was “{' '.join(_short(first, 80).split())}”." if total > 1 and first else ""
    return f"You wrote:\n\n{said}\n\n{seen}{began}"


def _attachment(one: Attachment) -> str:
    kind = "an image" if one.media_type.startswith("image/") else "a document"
    name = f" “{_short(one.name, 80)}”" if one.name else ""
    size = "given by its address" if one.size is None else f"{one.size:,} bytes"
    return f"I received {kind}{name} of type `{one.media_type}`, {size}."


def _table(ask: Ask) -> str:
    yours, theirs = ask.seen
    rows = [
        ("model", f"`{ask.model}`"),
        ("messages seen", str(yours + theirs)),
        ("input, in tokens", f"about {ask.input_tokens:,}"),
        ("tools offered", str(len(ask.tools))),
        ("reasoning effort", ask.effort or "none"),
        ("system text", f"{len(ask.system):,} characters"),
    ]
    return "## What the request said\n\n| fact | value |\n|:--|--:|\n" + "\n".join(f"| {a} | {b} |" for a, b in rows)


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most].rstrip()}…"
