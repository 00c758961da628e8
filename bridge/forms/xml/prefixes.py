"""What the prefixes in a form's values stand for, looked up with bounded work: one element may have very many."""

import re

from lxml import etree

from bridge.forms.xml.input import Unreadable

MOST_LOOKED_AT = 5_000_000
"""So many declarations may be looked at for one form: of each element, all that hold there."""
_PREFIX = re.compile(r"(?<![\w:.-])([^\W\d][\w.-]*):(?=[^\W\d])")


class Prefixes:
    """Looks up prefixes for one reader of one form."""

    def __init__(self, most: int = MOST_LOOKED_AT) -> None:
        self._left = most

    def namespaces(self, node: etree._Element) -> dict[str | None, str]:
        """
        The namespaces that hold at *node*, by prefix.

        Raises:
            Unreadable: That has been too much work.
        """
        found: dict[str | None, str] = node.nsmap
        self._spend(len(found) + 1)
        return found

    def named(self, node: etree._Element, name: str) -> str | None:
        """
        The ``{uri}local`` that a value of *node* stands for; None where its prefix stands for nothing.

        Raises:
            Unreadable: That has been too much work.
        """
        return full_name(self.namespaces(node), name)

    def in_text(self, node: etree._Element, text: str) -> dict[str, str]:
        """
        The prefixes that stand before a colon in a value of *node*, with their namespaces.

        Raises:
            Unreadable: That has been too much work.
        """
        found = {each[1] for each in _PREFIX.finditer(text)}
        namespaces = self.namespaces(node) if found else {}
        return {prefix: uri for prefix in sorted(found) if (uri := namespaces.get(prefix)) is not None}

    def in_values(self, node: etree._Element) -> frozenset[str]:
        """
        Name the prefixes in *node* that stand before a colon in a text or attribute; nobody knows which are meant.

        Raises:
            Unreadable: That has been too much work.
        """
        texts = [node.text, *node.attrib.values()]
        texts += [text for each in node.iterdescendants() for text in (each.text, each.tail)]
        texts += [text for each in node.iterdescendants(etree.Element) for text in each.attrib.values()]
        wanted = {found[1] for text in texts if text for found in _PREFIX.finditer(str(text))}
        if not wanted:
            return frozenset()
        elements = list(node.iter(etree.Element))
        used = {prefix for each in elements for prefix in self.namespaces(each) if prefix} & wanted
        # Whoever writes the fragment looks for each of them at each element.
        self._spend(len(used) * len(elements))
        return frozenset(used)

    def _spend(self, work: int) -> None:
        self._left -= work
        if self._left < 0:
            raise Unreadable("too_complex")


def full_name(namespaces: dict[str | None, str], name: str) -> str | None:
    """The ``{uri}local`` that *name* stands for where *namespaces* hold; None where its prefix stands for none."""
    found = split_name(namespaces, name)
    return None if found is None else f"{{{found[0]}}}{found[1]}" if found[0] else found[1]


def split_name(namespaces: dict[str | None, str], name: str) -> tuple[str, str] | None:
    """The namespace (empty for none) and the local name that *name* stands for; None where its prefix is unknown."""
    prefix, _, local = name.strip().rpartition(":")
    if prefix and prefix not in namespaces:
        return None
    return namespaces.get(prefix or None) or "", local
