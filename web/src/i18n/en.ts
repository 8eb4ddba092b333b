/** Every text of the page, in English. */
import { enLook } from "./enLook";

export const en = {
  shell: {
    views: "Views",
    pipelines: "Pipelines",
    runs: "Runs",
    light: "Light appearance",
    dark: "Dark appearance",
  },
  drafts: { none: "No pipelines yet" },
  ...enLook,
};
