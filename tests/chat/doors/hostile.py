"""Text that a hostile or confused model may write, and what must never come out of it."""

from html.parser import HTMLParser
from itertools import product

SCRIPTS = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<math><mtext><style><img src=x onerror=alert(1)></style></mtext></math>",
    "<a href=javascript:alert(1)>x</a>",
    '"><script>alert(1)</script>',
    "'-alert(1)-'",
    "<form action=https://evil.test><input name=q autofocus onfocus=alert(1)>",
    "<details open ontoggle=alert(1)>",
    "<style>@import 'https://evil.test/x.css'</style>",
    "<link rel=stylesheet href=https://evil.test/x.css>",
    "<meta http-equiv=refresh content=0;url=https://evil.test>",
    "<base href=https://evil.test/>",
    "<object data=https://evil.test></object>",
    "<answer-stream stream=x></answer-stream>",
    "<button form=again name=do value=stop:x>Click</button>",
    "<!--<img src=--><img src=x onerror=alert(1)//>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "{{ constructor.constructor('alert(1)')() }}",
)
ADDRESSES = (
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "java\tscript:alert(1)",
    "javascript&#58;alert(1)",
    "\x01javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "data:image/svg+xml;base64,PHN2Zy8+",
    "vbscript:msgbox(1)",
    "file:///etc/passwd",
    "//evil.test/x",
    "/admin/",
    "https://evil.test/?q=secret",
    "blob:https://evil.test/1",
    'https://evil.test/" onmouseover="alert(1)',
)
AROUND = (
    "{}",
    "# {}",
    "- {}",
    "> {}",
    "| {} |\n|---|\n| {} |\n",
    "```{}\n{}\n```\n",
    "`{}`",
    "    {}",
    "**{}**",
    "$\\text{{{}}}$",
    "$${}$$",
    "\\[ \\href{{{}}}{{x}} \\]",
    "[{}][r]\n\n[r]: https://ok.test '{}'\n",
)
LINKS = (
    "[x]({})",
    "![x]({})",
    "<{}>",
    "[x][r]\n\n[r]: {}\n",
    "![x][r]\n\n[r]: {}\n",
    "[![x]({})]({})",
    "[x]({} 'title')",
    "{}",
    "$\\href{{{}}}{{x}}$",
)
CORPUS = [around.format(*[script] * around.count("{}")) for around, script in product(AROUND, SCRIPTS)] + [
    link.format(*[address] * link.count("{}")) for link, address in product(LINKS, ADDRESSES)
]

ATTRIBUTES = {
    "href", "title", "rel", "start", "tabindex", "role", "aria-label", "class", "type", "display", "stretchy", "fence",
    "form", "mathvariant", "width", "height", "depth", "lspace", "rspace", "voffset", "displaystyle", "scriptlevel",
    "linethickness", "columnalign", "rowspacing", "columnspacing", "notation", "accent", "accentunder", "largeop",
    "movablelimits", "minsize", "maxsize", "separator", "rowalign", "columnlines", "rowlines",
}  # fmt: skip
FORBIDDEN = {
    "script", "style", "img", "iframe", "object", "embed", "form", "input", "link", "meta", "base", "svg", "use",
    "video", "audio", "source", "details", "answer-stream", "template", "noscript", "textarea", "select", "dialog",
}  # fmt: skip


class Inspector(HTMLParser):
    """Collects what a browser would obey; an independent reading, not the sanitizer's."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in FORBIDDEN:
            self.found.append(f"<{tag}>")
        for name, value in attrs:
            if name not in ATTRIBUTES or (tag == "button" and name not in {"class", "type"}):
                self.found.append(f"{tag} {name}={value}")
            if name == "href" and not (value or "").lower().startswith(("http://", "https://", "mailto:")):
                self.found.append(f"{tag} href={value}")
            if name == "href" and tag != "a":
                self.found.append(f"{tag} href")


def dangers(html: str) -> list[str]:
    inspector = Inspector()
    inspector.feed(html)
    inspector.close()
    return inspector.found
