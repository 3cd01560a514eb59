"""What a model's constructor was given, so that a subclass's own arguments are saved with it."""

import inspect

# What `keras.Model` may be told, and what `TwoDomainModel` has of its own.
KERAS_ARGUMENTS = ("name", "trainable", "dtype", "autocast")
SAVED_ELSEWHERE = ("config", "published_counts", "framing", *KERAS_ARGUMENTS)


def given_arguments(constructor, model, args, kwargs):
    """The arguments of a call of `constructor`, by name, defaults among them.

    Wrong ones are left for the constructor itself to refuse.
    """
    try:
        bound = inspect.signature(constructor).bind(model, *args, **kwargs)
    except TypeError:
        return {}
    bound.apply_defaults()
    kinds = {name: x.kind for name, x in bound.signature.parameters.items()}
    first, *names = bound.arguments
    given = {}
    for name in names:
        if kinds[name] is inspect.Parameter.VAR_KEYWORD:
            given |= bound.arguments[name]
        elif kinds[name] is not inspect.Parameter.VAR_POSITIONAL:
            given[name] = bound.arguments[name]
    return {name: _listed(x) for name, x in given.items() if name not in SAVED_ELSEWHERE}


def saved_arguments(model, arguments, given):
    """What makes the same model again if handed to its constructor.

    Args:
        model: a `TwoDomainModel`.
        arguments: those of the method itself, as they hold (`TwoDomainModel.arguments`).
        given: `given_arguments` of the model's own constructor, which may be that of a
            subclass. What a subclass names it may change on the way to the method: of
            that, and of all else, what was given counts.
    """
    named = set()
    for kind in type(model).__mro__:
        if "__init__" in vars(kind):
            names = set(inspect.signature(kind.__init__).parameters)
            if names >= set(arguments):
                break
            named |= names
    held = {name: value for name, value in arguments.items() if name not in named}
    return {**held, **{n: x for n, x in given.items() if x is not None or n not in held}}


def is_plain(value):
    """Whether `value` is the same after being written as JSON and read again."""
    if isinstance(value, dict):
        return all(isinstance(key, str) for key in value) and all(map(is_plain, value.values()))
    if isinstance(value, list):
        return all(map(is_plain, value))
    return value is None or type(value) in (str, bool, int, float)


def check_saved(kind, arguments):
    """Raise `NotImplementedError` unless the class `kind` can be made again of `arguments`."""
    name = kind.__name__
    parameters = inspect.signature(kind.__init__).parameters.values()
    if inspect.Parameter.VAR_KEYWORD not in {x.kind for x in parameters}:
        raise NotImplementedError(
            f"{name} cannot be saved: its constructor must take **kwargs and hand them to "
            "super().__init__, which has arguments that every model has, such as its name. Else "
            "override `get_config` and `from_config`."
        )
    others = sorted(key for key, value in arguments.items() if not is_plain(value))
    if others:
        raise NotImplementedError(
            f"{name} cannot be saved: its arguments {', '.join(others)} are no plain values. "
            f"Override `get_config`, to add what describes them, and `from_config`, to make them "
            f"of it. Received: {', '.join(type(arguments[x]).__name__ for x in others)}"
        )


def _listed(value):
    """Tuples as lists, as JSON has them."""
    return [_listed(x) for x in value] if isinstance(value, (tuple, list)) else value
