/** What React Flow says to a screen reader and in tooltips, in the page's own words. */
import type { TFunction } from "i18next";

export function spokenLabels(t: TFunction) {
  return {
    "node.a11yDescription.default": t("spoken.node"),
    "node.a11yDescription.keyboardDisabled": t("spoken.node"),
    "edge.a11yDescription.default": t("spoken.edge"),
    "controls.ariaLabel": t("spoken.controls"),
    "controls.zoomIn.ariaLabel": t("spoken.zoomIn"),
    "controls.zoomOut.ariaLabel": t("spoken.zoomOut"),
    "controls.fitView.ariaLabel": t("spoken.fit"),
    "minimap.ariaLabel": t("canvas.map"),
  };
}
