// A touched picture, or its mask where masks are shown, opens enlarged.
const dialog = document.querySelector("dialog");
document.addEventListener("click", ({ target }) => {
  const cell = target.closest("button.cell");
  if (cell) {
    const seen = [...cell.children].filter((image) => getComputedStyle(image).visibility === "visible");
    dialog.firstChild.src = seen.at(-1).src;
    dialog.firstChild.alt = seen.at(-1).alt;
    dialog.showModal();
  } else if (target.closest("dialog")) dialog.close();
});
