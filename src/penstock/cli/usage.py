"""Messages for usage errors, in Penstock's wording."""

import click

from penstock.cli.values import meant

__all__ = ["usage_words"]


def usage_words(error: click.ClickException) -> str:
    """Describe a usage error in one or two sentences, with a pointer to the help."""
    context: click.Context | None = getattr(error, "ctx", None)
    words = _words(error, context.command.params if context else [])
    where = context.command_path if context else "penstock"
    return f"{words}{'' if words.endswith(('.', '?')) else '.'} See {where} --help"


def _words(error: click.ClickException, known: list[click.Parameter]) -> str:
    if isinstance(error, click.NoSuchOption):
        return _no_such_option(error.option_name, known)
    if isinstance(error, click.MissingParameter) and error.param is not None:
        text = getattr(error.param, "help", None) or "it must be given"
        return f"{_name(error.param)} is missing: {text[:1].lower()}{text[1:]}"
    if isinstance(error, click.BadOptionUsage):
        flags = [name for each in known if isinstance(each, click.Option) and each.is_flag for name in _names(each)]
        return f"{error.option_name} {'takes no value' if error.option_name in flags else 'needs a value'}"
    if isinstance(error, click.BadParameter) and error.param is not None:
        must = "must be true or false" if error.param.type is click.BOOL else error.message
        return f"{_name(error.param)} {must}"
    return error.format_message()


def _no_such_option(name: str, known: list[click.Parameter]) -> str:
    if not name.startswith("--"):
        return f"there is no option {name}. A path that begins with - stands after --"
    return f"there is no option {name}.{meant(name, [each for parameter in known for each in _names(parameter)])}"


def _names(parameter: click.Parameter) -> list[str]:
    return [name for name in (*parameter.opts, *parameter.secondary_opts) if name.startswith("--")]


def _name(parameter: click.Parameter) -> str:
    """Return the name as the user writes it: --hidden-size, DATA."""
    return parameter.human_readable_name if isinstance(parameter, click.Argument) else parameter.opts[0]
