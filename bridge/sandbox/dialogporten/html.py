"""The HTML that migrated content may have: a few tags, and no attribute but a safe address."""

from html.parser import HTMLParser

_TAGS = ("p", "a", "br", "em", "strong", "ul", "ol", "li", "table", "thead", "tbody", "tr", "td", "th")
SUPPORTED = (
    "Value contains unsupported HTML. The following tags are supported: "
    f"[{','.join(f'<{each}>' for each in _TAGS)}]. Tag attributes are not supported except for on '<a>' which must "
    "contain a 'href' starting with 'https://'."
)


class _Tags(HTMLParser):
    """Notes whether a tag came by that is not allowed."""

    def __init__(self) -> None:
        super().__init__()
        self.clean = True

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self.clean &= len(attrs) == 1 and attrs[0][0] == "href" and (attrs[0][1] or "").startswith("https://")
        else:
            self.clean &= tag in _TAGS and not attrs


def is_supported(text: str) -> bool:
    """Whether a text has no tag and no attribute beyond those."""
    tags = _Tags()
    tags.feed(text)
    tags.close()
    return tags.clean
