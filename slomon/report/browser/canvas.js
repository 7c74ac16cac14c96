// Canvases: sharp on any screen, in the colours of the style sheet.

/** The colour that the style sheet has under this name. */
function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

/** Resizes and empties a canvas, in CSS pixels. Returns its drawing context. */
function resizeCanvas(canvas, width, height) {
  const ratio = window.devicePixelRatio || 1;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  return context;
}

/** A function that calls `draw` once before the next frame, however often it is called until then. */
function beforeNextFrame(draw) {
  let scheduled = false;
  return () => {
    if (scheduled) return;
    scheduled = true;
    requestAnimationFrame(() => {
      scheduled = false;
      draw();
    });
  };
}

/** Calls `draw` whenever the browser turns light or dark. */
function onColourChange(draw) {
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
}
