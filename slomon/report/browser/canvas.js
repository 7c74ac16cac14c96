// Drawing surfaces: sharp on any screen, in the colours of the style sheet.

/** A colour of the style sheet, by its name there. */
function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

/** Makes a canvas as large as told, in CSS pixels, and returns what draws on it, empty. */
function fit(canvas, width, height) {
  const ratio = window.devicePixelRatio || 1;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const pen = canvas.getContext("2d");
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  return pen;
}

/** A function that runs once before the next frame, however often it is called until then. */
function beforeNextFrame(draw) {
  let waiting = false;
  return () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      draw();
    });
  };
}

/** Runs on every change of the colours or of the medium. */
function onRecolour(draw) {
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
}
