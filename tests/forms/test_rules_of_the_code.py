"""Whatever rule the code can give has a sentence: read from the sources, so that a new one cannot be forgotten."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import bridge
from bridge.core.texts.findings import RULES

ROOT = Path(bridge.__file__).parent
# The sandbox has findings of its own, those of Altinn 2.
SOURCES = {
    str(inside): text
    for path in sorted(ROOT.rglob("*.py"))
    if not {"sandbox", "texts"}.intersection((inside := path.relative_to(ROOT)).parts)
    and (text := path.read_text("utf-8"))
    and ("forms" in inside.parts or re.search(r"\bFinding\b|\bUnreadable\b", text))
}
SAYS_A_RULE = re.compile(r"tuple\[str, (?:str, )?dict")
"""What functions give that find a rule: the rule, and its facts or its place."""
OUTSIDE = {"Unreadable": 0, "PydanticCustomError": 0}
"""Classes whose instances become findings, and which of their arguments is the rule."""


class Rules(ast.NodeVisitor):
    """Collects the texts that may become the rule of a finding in one module."""

    def __init__(self, tree: ast.Module) -> None:
        self.found: set[str] = set()
        self.translated: set[str] = set()
        """Codes of somebody else, for which a table has the rule."""
        self._known: dict[str, list[ast.expr]] = {}
        self._given: dict[str, list[ast.expr]] = {}
        """What the functions of a name return."""
        self._makers = dict(OUTSIDE)
        self._resolving: set[str] = set()
        for node in ast.walk(tree):
            match node:
                case (
                    ast.Assign(targets=[target], value=value)
                    | ast.AnnAssign(target=target, value=ast.expr() as value)
                    | ast.NamedExpr(target=target, value=value)
                ):
                    self._assigned(target, value)
                case ast.FunctionDef():
                    returns = (each.value for each in ast.walk(node) if isinstance(each, ast.Return) and each.value)
                    self._given.setdefault(node.name, []).extend(returns)
                    names = [each.arg for each in node.args.args if each.arg not in ("self", "cls")]
                    if "rule" in names:
                        self._makers[node.name] = names.index("rule")
        self.visit(tree)

    def _assigned(self, target: ast.expr, value: ast.expr) -> None:
        match target, value:
            case ast.Name(id="_RULES" as name), ast.Dict(keys=keys):
                self.translated = {str(key.value) for key in keys if isinstance(key, ast.Constant)}
                self._known.setdefault(name, []).append(value)
            case ast.Name(id=name), _:
                self._known.setdefault(name, []).append(value)
            case ast.Tuple(elts=targets), ast.Tuple(elts=values):
                for each, one in zip(targets, values, strict=False):
                    self._assigned(each, one)
            case ast.Tuple(), ast.IfExp(body=body, orelse=orelse):
                self._assigned(target, body)
                self._assigned(target, orelse)
            case ast.Tuple(elts=[ast.Name(id=name), *_]), _:
                self._known.setdefault(name, []).append(value)

    def visit_Call(self, node: ast.Call) -> None:
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        said = [each.value for each in node.keywords if each.arg == "rule"]
        if (place := self._makers.get(name)) is not None and len(node.args) > place:
            said.append(node.args[place])
        for each in said:
            self.found |= set(self._texts(each))
        self.generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        gives = "" if node.returns is None else ast.unparse(node.returns)
        if SAYS_A_RULE.search(gives) or node.name.startswith("rule_"):
            for each in self._given[node.name]:
                self.found |= set(self._texts(each))
        self.generic_visit(node)

    def _texts(self, node: ast.expr) -> Iterator[str]:
        """The texts that *node* may be, or the first of what it holds."""
        if (key := ast.unparse(node)) in self._resolving:
            return
        inner: list[ast.expr] = []
        match node:
            case ast.Constant(value=str(text)):
                yield text
            case ast.IfExp(body=body, orelse=orelse):
                inner = [body, orelse]
            case ast.Tuple(elts=[first, *_]):
                inner = [first]
            case ast.Call(func=ast.Attribute(value=table, attr="get"), args=[_, *rest]):
                inner = [table, *rest]
            case ast.Call(func=ast.Name(id=name)) if name in self._given:
                inner = self._given[name]
            case ast.Subscript(value=table):
                inner = [table]
            case ast.Dict(values=values):
                inner = values
            case ast.Name(id=name) if name in self._known:
                inner = self._known[name]
        self._resolving.add(key)
        for each in inner:
            yield from self._texts(each)
        self._resolving.discard(key)


def rules_of(text: str) -> set[str]:
    rules = Rules(ast.parse(text))
    return rules.found - rules.translated


@pytest.mark.parametrize("source", SOURCES)
def test_every_rule_of_the_code_has_a_sentence(source: str) -> None:
    """None falls through to the plainest one, which tells nobody what to do."""
    rules = {rule for rule in rules_of(SOURCES[source]) if re.fullmatch(r"[a-z]\w+", rule)}

    assert rules <= RULES


def test_nearly_all_sentences_are_of_rules_that_the_search_finds() -> None:
    """So it is not blind; those of comparing are the words of an enum."""
    found = {rule for text in SOURCES.values() for rule in rules_of(text)}

    assert RULES - found <= {"added", "changed", "lost", "moved", "must_be_last", "signature_in_mapping"}


@pytest.mark.parametrize(
    "text",
    [
        'Finding(path="/", rule="new")',
        'Finding(path="/", rule="type" if 1 else "new")',
        'raise Unreadable("new", line=1)',
        'rule, facts = "new", {}\nFinding(path="/", rule=rule)',
        'rule, facts = ("new", {}) if 1 else ("type", {})\nFinding(path="/", rule=rule)',
        'TABLE = {1: ("new", ())}\nrule, needed = TABLE.get(1, ("type", ()))\nFinding(path="/", rule=rule)',
        'TABLE = {1: ("new", ())}\nif row := TABLE.get(1):\n    rule, fact = row\n    Finding(path="/", rule=rule)',
        'def f() -> tuple[str, tuple[str, ...]]:\n    return "new", ()\nrule, _ = f()\nFinding(path="/", rule=rule)',
        'WRONG = "new"\nFinding(path="/", rule=WRONG)',
        "def f() -> tuple[str, dict[str, str]]:\n    return 'new', {}",
        "def add(path: str, rule: str): ...\nadd('/', 'new')",
    ],
)  # fmt: skip
def test_the_search_sees_how_rules_are_written(text: str) -> None:
    """However one comes into a finding."""
    assert "new" in rules_of(text)
