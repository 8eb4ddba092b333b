/** Saves a chart as it is drawn, on the page's ground: a canvas alone would be see-through. */
import type uPlot from "uplot";
import { saveFile } from "../shell/saveFile";

export function savePicture(plot: uPlot, name: string): void {
  const drawn = plot.ctx.canvas;
  const canvas = document.createElement("canvas");
  canvas.width = drawn.width;
  canvas.height = drawn.height;
  const context = canvas.getContext("2d");
  if (!context) return;
  context.fillStyle = getComputedStyle(document.documentElement).getPropertyValue("--paper");
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(drawn, 0, 0);
  canvas.toBlob((blob) => {
    if (blob) saveFile(blob, `${name.replaceAll(/[^\w.-]+/g, "-")}.png`);
  });
}
