"""Models from recipes: the presets of a method and their formulations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mbu_tf.models.recipes import build_optimizer, build_weights
from mbu_tf.networks.blocks import check_choice

if TYPE_CHECKING:
    from typing_extensions import Self


class FromRecipes:
    """Makes compiled models from recipes; a mixin of `TwoDomainModel`.

    A method states

    - `starting_networks`: names of what a model takes over of the one that it starts from;
    - `presets`: its recipes by name, plain dictionaries (`recipes.py` says of what);
    - `formulations`: by name, functions of a recipe that give it as the published
      code or the paper's text has it.
    """

    presets = {}
    formulations = {}

    @classmethod
    def from_preset(
        cls,
        name: str,
        steps: int | None = None,
        formulation: str | None = None,
        base: Any = None,
        **overrides: Any,
    ) -> Self:
        """A compiled model from a named recipe.

        Args:
            name: key of `presets`, e.g. `"glasses"`.
            steps: see `from_recipe`.
            formulation: `"published_code"` trains as the published code does,
                step for step; `"paper"`, where the paper's text reads
                otherwise, as the text has it; `None` as the recipe says
                (docs/published-code.md compares them).
            base: see `from_recipe`.
            **overrides: see `from_recipe`.

        Raises:
            ValueError: on an unknown name or formulation, or a `base` that does not fit.
        """
        return cls.from_recipe(cls.recipe(name, formulation), steps, base, **overrides)

    @classmethod
    def from_recipe(
        cls, recipe: dict[str, Any], steps: int | None = None, base: Any = None, **overrides: Any
    ) -> Self:
        """A compiled model from a recipe, a plain dictionary (`recipes.py` says of what).

        Args:
            recipe: e.g. `MaskedContentTransfer.recipe("photos")`, or that `varied`.
            steps: training steps that the recipe's learning rate decay, and the rise of
                loss weights, are measured by; `None` is the recipe's own number.
            base: a trained model of this method to start from, whatever its part. The
                new model has its architecture and takes over the networks that know
                images in general (`starting_networks`), with their running statistics;
                all else is new, optimizers, separate codes and masks among it.
            **overrides: constructor arguments in place of the recipe's, e.g.
                `image_size=64`.

        Raises:
            ValueError: if `base` is of another method or does not fit.
        """
        steps = steps or recipe["training"]["steps"]
        model = cls(**cls.architecture(recipe, base, **overrides))
        if base is not None:
            model.take_over(base)
        model.compile(
            optimizer=build_optimizer(recipe["optimizer"], steps),
            discriminator_optimizer=build_optimizer(recipe["discriminator_optimizer"], steps),
            **{
                **recipe["compile"],
                "loss_weights": build_weights(recipe["compile"]["loss_weights"], steps),
            },
        )
        return model

    @classmethod
    def architecture(cls, recipe, base=None, **overrides):
        """Constructor arguments as `from_recipe` has them.

        Raises:
            ValueError: if `base` is of another method.
        """
        if base is None:
            return {**recipe["architecture"], **overrides}
        if not (isinstance(base, cls) or issubclass(cls, type(base))):
            raise ValueError(
                f"`base` must be a trained {cls.__name__}. Received: {type(base).__name__}"
            )
        return {**recipe["architecture"], **base.arguments, **overrides}

    def take_over(self, base: Any) -> None:
        """Set the weights of the `starting_networks` to those of a trained model.

        Raises:
            ValueError: if theirs have other shapes; no weight is set then.
        """
        pairs = [(getattr(self, x), getattr(base, x)) for x in self.starting_networks]
        for network, trained in pairs:
            shapes = [[tuple(v.shape) for v in x.weights] for x in (network, trained)]
            if shapes[0] != shapes[1]:
                changed = sorted(
                    name
                    for name, value in self.arguments.items()
                    if value != base.arguments.get(name)
                )
                raise ValueError(
                    f"The {network.name} of `base` does not fit into this model: leave out what "
                    f"gives it another architecture. Received: other values for {changed}"
                )
        for network, trained in pairs:
            network.set_weights(trained.get_weights())

    @classmethod
    def recipe(cls, name: str, formulation: str | None = None) -> dict[str, Any]:
        """The recipe `name` of `presets` in a formulation; see `from_preset`."""
        if name not in cls.presets:
            raise ValueError(f"Presets are {sorted(cls.presets)}. Received: name={name!r}")
        if formulation is None:
            return cls.presets[name]
        check_choice("formulation", formulation, cls.formulations)
        return cls.formulations[formulation](cls.presets[name])
