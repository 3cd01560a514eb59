"""What attribute classifiers see in a two-way model's translations (DIDD on CelebA).

    mbu-tf train --method didd --preset photos --data celeba:CelebA:smile_x_glasses --output run
    python examples/celeba_two_way.py run/model.keras CelebA

Domain A smiles and wears no glasses, domain B the reverse. One classifier for each attribute is
trained on the train partition and tried on the validation partition; both then judge the
validation images of A and of B before and after their translation.
"""

import argparse

from mbu_tf import load_model, load_source
from mbu_tf.evaluation import share_in_b, train_attribute_classifier

ATTRIBUTES = ("smile", "glasses")  # Their tasks have the same names.

parser = argparse.ArgumentParser()
parser.add_argument("model")
parser.add_argument("folder", help="CelebA in its official layout")
parser.add_argument("--images", type=int, default=300, help="translated each way, at most")
parser.add_argument("--steps", type=int, default=1500, help="of each classifier")
arguments = parser.parse_args()

model = load_model(arguments.model)


def domains(task, split):
    return load_source(f"celeba:{arguments.folder}:{task}", split, model.image_size)


classifiers = {}
for name in ATTRIBUTES:
    train, held_out = domains(name, "train"), domains(name, "validation")
    classifiers[name], accuracy = train_attribute_classifier(train, held_out, arguments.steps)
    print(f"{name}: balanced accuracy {accuracy:.1%} on the validation partition")

test = domains("smile_x_glasses", "validation")
count = min(arguments.images, len(test.a), len(test.b))
a, b = test.arrays(count)
pictures = {
    "A": a,
    "B": b,
    "A translated to B": model.transfer_to_b(a, b).image,
    "B translated to A": model.transfer_to_a(b, a).image,
}
print(f"\n| {count} images each | " + " | ".join(ATTRIBUTES) + " |\n|---|---|---|")
for name, batch in pictures.items():
    seen = " | ".join(f"{share_in_b(classifiers[x], batch):.1%}" for x in ATTRIBUTES)
    print(f"| {name} | {seen} |")
