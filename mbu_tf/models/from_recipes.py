"""Models from recipes: the presets of a method and their formulations."""

from mbu_tf.models.recipes import build_optimizer
from mbu_tf.networks.blocks import check_choice


class FromRecipes:
    """Makes compiled models from recipes; a mixin of `TwoDomainModel`.

    A method states

    - `presets`: its recipes by name, plain dictionaries (`recipes.py` says of what);
    - `formulations`: by name, functions of a recipe that give it as the published
      code or the paper's text has it.
    """

    presets = {}
    formulations = {}

    @classmethod
    def from_preset(cls, name, steps=None, formulation=None, **overrides):
        """A compiled model from a named recipe.

        Args:
            name: key of `presets`, e.g. `"glasses"`.
            steps: see `from_recipe`.
            formulation: `"published_code"` trains as the published code does,
                step for step; `"paper"`, where the paper's text reads
                otherwise, as the text has it; `None` as the recipe says
                (docs/published-code.md compares them).
            **overrides: see `from_recipe`.

        Raises:
            ValueError: on an unknown name or formulation.
        """
        return cls.from_recipe(cls.recipe(name, formulation), steps, **overrides)

    @classmethod
    def from_recipe(cls, recipe, steps=None, **overrides):
        """A compiled model from a recipe, a plain dictionary (`recipes.py` says of what).

        Args:
            recipe: e.g. `MaskedContentTransfer.recipe("photos")`, or that `varied`.
            steps: training steps that the recipe's learning rate decay spans;
                `None` is the recipe's own number.
            **overrides: constructor arguments in place of the recipe's, e.g.
                `image_size=64`.
        """
        steps = steps or recipe["training"]["steps"]
        model = cls(**{**recipe["architecture"], **overrides})
        model.compile(
            optimizer=build_optimizer(recipe["optimizer"], steps),
            discriminator_optimizer=build_optimizer(recipe["discriminator_optimizer"], steps),
            **recipe["compile"],
        )
        return model

    @classmethod
    def recipe(cls, name, formulation=None):
        """The recipe `name` of `presets` in a formulation; see `from_preset`."""
        if name not in cls.presets:
            raise ValueError(f"Presets are {sorted(cls.presets)}. Received: name={name!r}")
        if formulation is None:
            return cls.presets[name]
        check_choice("formulation", formulation, cls.formulations)
        return cls.formulations[formulation](cls.presets[name])
