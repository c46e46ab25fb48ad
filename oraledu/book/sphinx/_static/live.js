// Explorers and quizzes of a page without a kernel. No library, no network beyond the page's own files.
"use strict";

const oraledu = {
  waiting: new Map(),  // from the name of a set of frames to what is done once its script has come

  // Called by the script beside a sprite: base64 of deflated JSON.
  async frames(name, packed) {
    const bytes = Uint8Array.from(atob(packed), letter => letter.charCodeAt(0));
    const plain = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    oraledu.waiting.get(name)(JSON.parse(await new Response(plain).text()));
  },

  // Load the table of the frames and the picture that holds them all.
  async load(address) {
    const sprite = new Image();
    sprite.src = `${address}.webp`;
    const script = document.createElement("script");
    script.src = `${address}.js`;
    const table = new Promise((come, fail) => {
      oraledu.waiting.set(address.split("/").pop(), come);
      script.onerror = fail;
    });
    document.head.append(script);
    const data = await table;
    await sprite.decode();
    for (let n = 1; n < data.tiles.length; n++)  // a frame is stored as what differs from the one before
      data.tiles[n] = data.tiles[n].map((change, i) => data.tiles[n - 1][i] + change);
    return {...data, sprite};
  },

  explorer(figure) {
    const controls = [...figure.querySelectorAll("input, select")];
    const words = figure.querySelector(".explorer-words");
    const image = figure.querySelector("img");
    const canvas = document.createElement("canvas");
    canvas.setAttribute("role", "img");
    let loaded = null, due = 0;
    const load = () => loaded ??= oraledu.load(figure.dataset.frames);

    const position = control => control.type === "checkbox" ? [+control.checked, 2]
      : control.type === "range" ? [+control.value, +control.max + 1]
      : [control.selectedIndex, control.length];

    async function draw() {
      const data = await load();
      let frame = 0;  // the last control moves fastest
      for (const [index, count] of controls.map(position)) frame = frame * count + index;
      const {tile, columns, width, height, tiles, sprite} = data;
      if (!canvas.isConnected) {
        Object.assign(canvas, {width, height});
        canvas.style.width = `${image.getAttribute("width")}px`;
        image.replaceWith(canvas);
      }
      const pen = canvas.getContext("2d"), across = Math.ceil(width / tile);
      tiles[frame].forEach((number, place) => pen.drawImage(sprite,
        number % columns * tile, Math.floor(number / columns) * tile, tile, tile,
        place % across * tile, Math.floor(place / across) * tile, tile, tile));
      canvas.setAttribute("aria-label", data.words[frame]);
      clearTimeout(due);  // a screen reader hears where a slider comes to rest, not all that it passes
      due = setTimeout(() => { words.textContent = data.words[frame]; }, 300);
    }

    for (const control of controls)
      control.addEventListener("input", () => {
        if (control.type === "range") {
          const said = JSON.parse(control.dataset.words)[control.value];
          control.setAttribute("aria-valuetext", said);
          control.nextElementSibling.textContent = said;
        }
        draw().catch(() => {
          loaded = null;  // the next move tries again
          figure.querySelector("figcaption").textContent = words.textContent = "The pictures could not be loaded.";
        });
      });
    // Whoever comes to a control is about to move it.
    figure.addEventListener("focusin", () => { load().catch(() => {}); }, {once: true});
    figure.querySelector(".explorer-controls").hidden = false;
  },

  // Answers that unfold become answers to choose; they unfold without this script, and on paper.
  quiz(fieldset, number) {
    const said = document.createElement("div"), check = document.createElement("button");
    const copied = nodes => [...nodes].map(node => node.cloneNode(true));
    said.setAttribute("role", "status");
    Object.assign(check, {type: "button", textContent: "Check my answer", disabled: true});
    for (const answer of fieldset.querySelectorAll(":scope > details")) {
      const label = document.createElement("label"), choice = document.createElement("input");
      const [summary, ...explanation] = answer.children;
      Object.assign(choice, {type: "radio", name: `quiz-${number}`});
      label.append(choice, " ", ...copied(summary.childNodes));
      choice.addEventListener("change", () => {
        said.replaceChildren();
        check.disabled = false;
        check.onclick = () => said.replaceChildren(...copied(explanation));
      });
      answer.before(label);
    }
    fieldset.classList.add("quiz");
    fieldset.append(check, said);
  },

  start() {
    document.querySelectorAll("figure.explorer[data-frames]").forEach(oraledu.explorer);
    [...document.querySelectorAll("fieldset")].filter(each => each.querySelector(":scope > details > summary"))
      .forEach(oraledu.quiz);
  },
};

if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", oraledu.start);
else oraledu.start();
