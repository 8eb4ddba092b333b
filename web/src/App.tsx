/** Shows the view that the address names. */
import { useTranslation } from "react-i18next";
import { useRoute } from "./shell/route";
import { Shell } from "./shell/Shell";

export function App() {
  const route = useRoute();
  const { t } = useTranslation();
  const isRuns = route.view === "runs" || route.view === "run";
  return <Shell route={route}>{isRuns ? t("runs.none") : t("drafts.none")}</Shell>;
}
