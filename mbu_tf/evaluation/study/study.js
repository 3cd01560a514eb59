// Shows every question of the study once, in an order and with sides drawn for this visit,
// and offers the answers as a file.
const study = JSON.parse(document.getElementById("study").textContent);
const element = (id) => document.getElementById(id);
const shuffled = (values) =>
  values
    .map((value) => [Math.random(), value])
    .sort((x, y) => x[0] - y[0])
    .map(([, value]) => value);

const trials = study.questions.flatMap((question) =>
  shuffled(study.items).map((item) => ({ question, item, sides: shuffled(["a", "b"]) })),
);
const participant = [...crypto.getRandomValues(new Uint8Array(8))]
  .map((byte) => byte.toString(16).padStart(2, "0"))
  .join("");
const answers = [];
let since = 0;

function show() {
  const number = answers.length;
  element("progress").textContent = `${number} of ${trials.length}`;
  element("bar").firstChild.style.width = `${(100 * number) / trials.length}%`;
  element("back").hidden = number === 0;
  if (number === trials.length) return finish();
  const { question, item, sides } = trials[number];
  element("question").textContent = question.text;
  element("shown").hidden = !question.shows;
  if (question.shows) element("shown").src = item[question.shows];
  ["left", "right"].forEach((side, i) => {
    element(side).firstChild.src = item[sides[i]];
  });
  for (const id of ["choices", "help"]) element(id).hidden = false;
  since = performance.now();
}

function choose(side) {
  if (answers.length === trials.length) return;
  const { question, item, sides } = trials[answers.length];
  const [left] = sides;
  answers.push({
    question: question.id,
    item: item.name,
    chosen: sides[side],
    left,
    seconds: Math.round(performance.now() - since) / 1000,
  });
  document.activeElement.blur();
  show();
}

function finish() {
  for (const id of ["choices", "help", "shown"]) element(id).hidden = true;
  element("question").textContent = "Thank you. Save your answers and send the file back.";
  if (element("save")) return;
  const save = document.createElement("button");
  save.id = "save";
  save.textContent = "Save answers";
  save.addEventListener("click", download);
  element("back").before(save, " ");
}

function download() {
  const { study: id, systems, questions } = study;
  const texts = Object.fromEntries(questions.map((question) => [question.id, question.text]));
  const found = { study: id, systems, questions: texts, participant, answers };
  const link = document.createElement("a");
  link.href = URL.createObjectURL(
    new Blob([JSON.stringify(found, null, 1)], { type: "application/json" }),
  );
  link.download = `answers-${participant}.json`;
  link.click();
}

element("left").addEventListener("click", () => choose(0));
element("right").addEventListener("click", () => choose(1));
element("back").addEventListener("click", () => {
  answers.pop();
  element("save")?.remove();
  show();
});
document.addEventListener("keydown", ({ key, repeat }) => {
  if (repeat) return;
  if (key === "ArrowLeft" || key === "1") choose(0);
  if (key === "ArrowRight" || key === "2") choose(1);
  if (key === "Backspace" && answers.length) element("back").click();
});
show();
