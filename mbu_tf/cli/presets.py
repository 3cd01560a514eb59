"""`mbu-tf presets`: the recipes by name, and the trained models that come with mbu_tf."""

from mbu_tf.cli.arguments import add_command


def add_parser(subparsers):
    add_command(
        subparsers,
        "presets",
        "list the recipes, and the trained models that come with mbu_tf",
        run,
        ["mbu-tf presets"],
    )


def run(arguments):
    from mbu_tf.models.loading import pretrained_presets
    from mbu_tf.models.methods import METHODS
    from mbu_tf.pretrained import about_pretrained

    print("Trained models, named wherever a command takes a model:")
    for name, method in pretrained_presets().items():
        about = about_pretrained(method.presets[name]["weights"])
        print(f"  {name}, {about['arguments']['image_size']} px")
        for label in ("task", "data", "licence"):
            print(f"      {label + ':':8} {about[label]}")
    print("\nRecipes, for mbu-tf train --method METHOD --preset NAME:")
    for key, method in METHODS.items():
        for name, recipe in method.presets.items():
            size = recipe["architecture"]["image_size"]
            print(f"  {key:12} {name:20} {size:3} px  {recipe['description']}")
