r"""The other two ways in which models write maths: \( inline \) and \[ display \]."""

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline


def bracket_maths(parser: MarkdownIt) -> None:
    parser.inline.ruler.before("escape", "math_bracket", _inline)
    parser.block.ruler.before("fence", "math_bracket_block", _block, {"alt": ["paragraph"]})


def _inline(state: StateInline, silent: bool) -> bool:
    opening = state.src[state.pos : state.pos + 2]
    if opening not in {"\\(", "\\["}:
        return False
    end = state.src.find("\\)" if opening == "\\(" else "\\]", state.pos + 2, state.posMax)
    content = state.src[state.pos + 2 : end]
    if end < 0 or not content.strip():
        return False
    if not silent:
        token = state.push("math_inline" if opening == "\\(" else "math_inline_double", "math", 0)
        token.content = content
        token.markup = opening
    state.pos = end + 2
    return True


def _block(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """A display formula whose opening starts a line and whose closing ends one, without a blank line inside."""
    first = state.bMarks[start] + state.tShift[start]
    if state.is_code_block(start) or not state.src.startswith("\\[", first):
        return False
    for line in range(start, end):
        if state.isEmpty(line) or state.sCount[line] < state.blkIndent:
            return False
        if state.src[state.bMarks[line] : state.eMarks[line]].rstrip().endswith("\\]"):
            return silent or _push(state, start, line)
    return False


def _push(state: StateBlock, start: int, last: int) -> bool:
    token = state.push("math_block", "math", 0)
    token.block = True
    token.content = state.getLines(start, last + 1, state.blkIndent, False).strip()[2:-2]
    token.map = [start, last + 1]
    token.markup = "\\["
    state.line = last + 1
    return True
