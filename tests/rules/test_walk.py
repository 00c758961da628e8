"""How far a reader follows an operation through a press: to which modules it is handed, and how often back to one."""

import ast
from collections.abc import Iterator
from pathlib import Path

import bridge

PACKAGE = Path(bridge.__file__).parent
BEGINNINGS = [
    ("bridge.steps.operation.run", "_try"),
    ("bridge.steps.operation.deliver", "deliver"),
    ("bridge.steps.drivers.altinn2.driver", "Altinn2.deliver"),
    ("bridge.steps.drivers.calculation.driver", "Calculation.deliver"),
    ("bridge.steps.operation.sync", "sync"),
]
"""Where it is handed on as a value among others, which the source does not show."""
MODULES, RETURNS = 12, 30

Place = tuple[str, str]


def test_an_operation_is_handed_to_few_modules() -> None:
    """What a driver needs of it goes as a ``Delivery``; the bare row does not wander."""
    stays = Walk().stays()

    assert len(set(stays)) <= MODULES
    assert len(stays) - len(set(stays)) <= RETURNS


class Walk:
    """Follows every call in the source that hands an operation on, each function once, from the beginnings."""

    def __init__(self) -> None:
        self._functions: dict[Place, ast.FunctionDef] = {}
        self._imports: dict[str, dict[str, Place]] = {}
        for path in PACKAGE.rglob("*.py"):
            inside = path.relative_to(PACKAGE.parent)
            if not {"sandbox", "cli"} & set(inside.parts):
                module = ".".join(inside.with_suffix("").parts).removesuffix(".__init__")
                self._read(module, ast.parse(path.read_text("utf-8")))
        self._seen: set[Place] = set()

    def stays(self) -> list[str]:
        """The modules in their order, one that is stayed in told once."""
        visited = [module for place in BEGINNINGS for module in self._visit(place)]
        return [module for at, module in enumerate(visited) if at == 0 or visited[at - 1] != module]

    def _read(self, module: str, tree: ast.Module) -> None:
        self._imports[module] = {
            each.asname or each.name: (node.module, each.name)
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and node.module
            for each in node.names
        }
        for node in tree.body:
            match node:
                case ast.FunctionDef(name=name):
                    self._functions[module, name] = node
                case ast.ClassDef(name=name, body=body):
                    methods = (each for each in body if isinstance(each, ast.FunctionDef))
                    self._functions |= {(module, f"{name}.{each.name}"): each for each in methods}

    def _visit(self, place: Place) -> Iterator[str]:
        assert place in self._functions, "it has moved: say where it begins now"
        self._seen.add(place)
        module, function = place[0], self._functions[place]
        yield module
        calls = [node for node in ast.walk(function) if isinstance(node, ast.Call)]
        for call in sorted(calls, key=lambda each: (each.lineno, each.col_offset)):
            if any(is_operation(each) for each in (*call.args, *(each.value for each in call.keywords))):
                for called in self._called(module, call.func):
                    if called not in self._seen:
                        yield from self._visit(called)
                        yield module

    def _called(self, module: str, function: ast.expr) -> list[Place]:
        match function:
            case ast.Name(id=name):
                found = [(module, name), self._imports[module].get(name, ("", ""))]
            case ast.Attribute(value=ast.Name(id=name), attr=attribute) if name in self._imports[module]:
                package, last = self._imports[module][name]
                found = [(f"{package}.{last}", attribute)]
            case ast.Attribute(attr=attribute):
                found = [place for place in self._functions if place[1].endswith(f".{attribute}")]
                found = [place for place in found if takes_operation(self._functions[place])]
            case _:
                found = []
        return [place for place in found if place in self._functions]


def is_operation(value: ast.expr) -> bool:
    match value:
        case ast.Name(id="operation") | ast.Attribute(attr="operation"):
            return True
        case _:
            return False


def takes_operation(function: ast.FunctionDef) -> bool:
    notes = (each.annotation for each in (*function.args.args, *function.args.kwonlyargs))
    return any(isinstance(note, ast.Name) and note.id == "Operation" for note in notes)
