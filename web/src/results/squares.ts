/** A confusion matrix of many classes as a small picture, and the part of it that a table shows. */
import type { Evaluation } from "./evaluation";

/** A part of the class list: where it begins, of the rows and of the columns. */
export interface MatrixPart {
  row: number;
  column: number;
}

/** The highest share of each square of a matrix, by rows; a row's mistakes and what it has right apart. */
export interface MatrixSquares {
  size: number;
  right: Float32Array;
  wrong: Float32Array;
}

/**
 * Return a matrix in at most `most` squares a side. Of the cells in a square the highest share counts,
 * so that a single mistake among a million cells is not lost.
 */
export function squaresOf(evaluation: Evaluation, most: number): MatrixSquares {
  const { classes, matrix } = evaluation;
  const size = Math.min(classes.length, most);
  const place = new Map(classes.map((label, at) => [label, at]));
  const squareOf = (at: number) => Math.floor((at * size) / classes.length);
  const right = new Float32Array(size * size);
  const wrong = new Float32Array(size * size);
  for (const [label, cells] of Object.entries(matrix)) {
    const row = place.get(label);
    if (row === undefined) continue;
    const entries = Object.entries(cells);
    const total = entries.reduce((sum, [, count]) => sum + count, 0);
    for (const [scored, count] of entries) {
      const column = place.get(scored);
      if (column === undefined || count === 0) continue;
      const square = squareOf(row) * size + squareOf(column);
      const values = row === column ? right : wrong;
      values[square] = Math.max(values[square] ?? 0, count / total);
    }
  }
  return { size, right, wrong };
}

/** Return the part with a place in its middle, inside the matrix. */
export function partAround(row: number, column: number, num: number, shown: number): MatrixPart {
  const begin = (at: number) =>
    Math.max(0, Math.min(Math.round(at - shown / 2), num - Math.min(shown, num)));
  return { row: begin(row), column: begin(column) };
}

/** The pixels of the map: 4 bytes each, in colours that stay apart when one cannot tell red from green. */
export function pixelsOf(squares: MatrixSquares, isDark: boolean): Uint8ClampedArray<ArrayBuffer> {
  const paper = isDark ? [27, 31, 37] : [255, 255, 255];
  const good = isDark ? [95, 191, 146] : [35, 116, 79];
  const bad = isDark ? [238, 131, 120] : [179, 55, 45];
  const pixels = new Uint8ClampedArray(4 * squares.size ** 2);
  for (let at = 0; at < squares.size ** 2; at += 1) {
    const [right, wrong] = [squares.right[at] ?? 0, squares.wrong[at] ?? 0];
    const isWrong = wrong > right; // on the diagonal a square holds both
    const colour = isWrong ? bad : good;
    const share = isWrong ? 0.25 + 0.75 * wrong : right > 0 ? 0.15 + 0.5 * right : 0;
    for (let channel = 0; channel < 3; channel += 1) {
      const ground = paper[channel] ?? 0;
      pixels[4 * at + channel] = ground + share * ((colour[channel] ?? 0) - ground);
    }
    pixels[4 * at + 3] = 255;
  }
  return pixels;
}
