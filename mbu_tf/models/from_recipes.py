"""Models from recipes: the presets of a method and their formulations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mbu_tf.models.recipes import build_optimizer, build_weights
from mbu_tf.networks.blocks import check_choice
from mbu_tf.pretrained import about_pretrained, restore_pretrained

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
        same_part: bool = False,
        load_weights: bool = True,
        **overrides: Any,
    ) -> Self:
        """A compiled model from a named recipe, trained if its weights come with the package.

        Args:
            name: key of `presets`, e.g. `"glasses"`.
            steps: see `from_recipe`.
            formulation: `"published_code"` trains as the published code does,
                step for step; `"paper"`, where the paper's text reads
                otherwise, as the text has it; `None` as the recipe says
                (docs/published-code.md compares them).
            base, same_part: see `from_recipe`.
            load_weights: whether a preset that has weights (`mbu-tf presets` says which)
                gives the trained model; `False` gives one to train from the beginning.
            **overrides: see `from_recipe`.

        Raises:
            ValueError: on an unknown name or formulation, a `base` that does not fit, or one
                of these or of `overrides` where weights are to be loaded, which have an
                architecture of their own.
        """
        recipe = cls.recipe(name, formulation)
        if not (load_weights and recipe.get("weights")):
            return cls.from_recipe(recipe, steps, base, same_part, **overrides)
        given = [*(["formulation"] if formulation else []), *(["base"] if base else []), *overrides]
        if given:
            raise ValueError(
                f"The preset {name!r} comes with weights, which fit one architecture: pass "
                f"load_weights=False to train another. Received: {', '.join(given)}"
            )
        model = cls.from_recipe(recipe, steps, **about_pretrained(recipe["weights"])["arguments"])
        restore_pretrained(model, recipe["weights"])
        return model

    @classmethod
    def from_recipe(
        cls,
        recipe: dict[str, Any],
        steps: int | None = None,
        base: Any = None,
        same_part: bool = False,
        **overrides: Any,
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
            same_part: whether the part is the base's own, seen in other images: all
                networks and the mask threshold are taken over, and only optimizers are
                new. With another part this leaves masks shut where it lies.
            **overrides: constructor arguments in place of the recipe's, e.g.
                `image_size=64`.

        Raises:
            ValueError: if `base` is of another method or does not fit, or there is none
                to have the same part.
        """
        if same_part and base is None:
            raise ValueError("`same_part` is said of a `base`. Received: base=None")
        steps = steps or recipe["training"]["steps"]
        model = cls(**cls.architecture(recipe, base, same_part, **overrides))
        if base is not None:
            model.take_over(base, same_part)
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
    def architecture(cls, recipe, base=None, same_part=False, **overrides):
        """Constructor arguments as `from_recipe` has them; a refiner is of its part alone.

        Raises:
            ValueError: if `base` is of another method.
        """
        if base is None:
            return {**recipe["architecture"], **overrides}
        if not (isinstance(base, cls) or issubclass(cls, type(base))):
            raise ValueError(
                f"`base` must be a trained {cls.__name__}. Received: {type(base).__name__}"
            )
        taken = base.arguments
        if not same_part:
            taken = {name: x for name, x in taken.items() if name != "refiner_channels"}
        return {**recipe["architecture"], **taken, **overrides}

    def take_over(self, base: Any, same_part: bool = False) -> None:
        """Set the weights of the `starting_networks`, or all weights, to a trained model's.

        Args:
            base, same_part: see `from_recipe`.

        Raises:
            ValueError: if theirs have other shapes; no weight is set then.
        """
        names = self.network_names if same_part else self.starting_networks
        pairs = [(getattr(self, x), getattr(base, x)) for x in names]
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
        both = self.taken_over(same_part), base.taken_over(same_part)
        for part, trained in zip(*both, strict=True):
            part.set_weights(trained.get_weights())

    def taken_over(self, same_part: bool = False) -> list[Any]:
        """The parts of a model whose weights another takes over, see `take_over`."""
        if same_part:
            return [self]  # With what no network holds, mask thresholds.
        return [getattr(self, name) for name in self.starting_networks]

    @classmethod
    def recipe(cls, name: str, formulation: str | None = None) -> dict[str, Any]:
        """The recipe `name` of `presets` in a formulation; see `from_preset`."""
        if name not in cls.presets:
            raise ValueError(f"Presets are {sorted(cls.presets)}. Received: name={name!r}")
        if formulation is None:
            return cls.presets[name]
        check_choice("formulation", formulation, cls.formulations)
        return cls.formulations[formulation](cls.presets[name])
