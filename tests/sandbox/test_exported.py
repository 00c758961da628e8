"""What other people's tests import from the sandbox."""

import inspect
from datetime import UTC, datetime

import bridge.sandbox
from bridge.sandbox import Organisation, Sandbox, World, issue

SIGNATURES = {
    World: "(clock, seed=0, switches=…, *, sleep=…)",
    World.register_client: "(self, organisation, scopes=…, *, client_id=None)",
    Sandbox: "(world)",
    Sandbox.start: "(self, port=0)",
    Sandbox.stop: "(self)",
    Organisation: "(*, number, code)",
    issue: "(world, base_url, name, claims, *, lifetime)",
}


def written(signature: inspect.Signature) -> str:
    """A signature without its annotations; a default that is no plain value is ``…``."""
    plain = (bool, int, str, type(None))
    parameters = [
        each.replace(annotation=each.empty).replace(
            default=each.default if each.default is each.empty or isinstance(each.default, plain) else ...
        )
        for each in signature.parameters.values()
    ]
    bare = signature.replace(parameters=parameters, return_annotation=signature.empty)
    return str(bare).replace("Ellipsis", "…")


def test_the_exported_names_and_signatures_stay() -> None:
    """Cases outside this repository call them so."""
    found = {each: written(inspect.signature(each)) for each in SIGNATURES}

    assert bridge.sandbox.__all__ == ["Organisation", "Sandbox", "World", "issue"]
    assert found == SIGNATURES


def test_an_app_can_be_put_around_the_sandboxs() -> None:
    """``app`` is the WSGI app that answers, once started, and may be replaced."""
    with Sandbox(World(lambda: datetime.now(UTC), 0)) as sandbox:
        inner = sandbox.app
        sandbox.app = lambda environ, start_response: inner(environ, start_response)

        assert sandbox.app is not inner
        assert sandbox.base_url.startswith("http://127.0.0.1:")
