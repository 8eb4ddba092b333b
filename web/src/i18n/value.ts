/** Values of parameters in words. */
import type { Json } from "../graph/json";
import { textOfValue } from "../graph/validate";
import { i18n } from ".";
import { decimalMark } from "./numbers";

export function shownValue(value: Json | undefined): string {
  if (value === true) return i18n.t("panel.on");
  if (value === false) return i18n.t("panel.off");
  return textOfValue(value, decimalMark()) || i18n.t("panel.none");
}
