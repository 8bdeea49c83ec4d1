"""How templates are joined, called and linked; the answers are Jinja's own, with less looking up on the way."""

from types import FunctionType, MethodType
from typing import Any
from uuid import UUID

from flask import Flask
from jinja2 import Template
from jinja2.runtime import Context, Macro

from portal.blueprints import http

_PLAIN = (FunctionType, MethodType)


class SharedTemplate(Template):
    """A template whose macros are made once, for all pages that import them.

    Jinja compares the importing page's globals with the template's at each import (a page has twenty), since
    they could differ. Ours are the environment's own everywhere: no template is loaded with globals of its own.
    """

    def _get_default_module(self, ctx: Context | None = None) -> Any:
        if self._module is None:
            self._module = self.make_module()
        return self._module


class DirectContext(Context):
    """A context that calls macros and plain functions at once.

    Jinja asks of everything that is called which of its decorators it carries, by four failing look-ups; a page
    has several hundred calls. Macros always take the evaluation's context; what else is marked goes Jinja's way.
    """

    def call(self, function: Any, /, *args: Any, **options: Any) -> Any:
        """What a call within a template gives."""
        kind = type(function)
        if kind is Macro:
            args = (self.eval_ctx, *args)
        elif kind not in _PLAIN or hasattr(function, "jinja_pass_arg"):
            return super().call(function, *args, **options)
        options.pop("_block_vars", None)
        options.pop("_loop_vars", None)
        return function(*args, **options)


def _address(endpoint: str, *, ticket_id: UUID | None = None, **values: Any) -> str:
    """What templates know as `url_for`."""
    if ticket_id is None:
        return http.address_of(endpoint, **values)
    return http.ticket_address(endpoint, ticket_id, **values)


def init_templating(app: Flask) -> None:
    """Have the application's templates work so."""
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    app.jinja_env.template_class = SharedTemplate
    app.jinja_env.context_class = DirectContext
    app.jinja_env.globals["url_for"] = _address
