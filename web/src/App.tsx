/** Shows the view that the address names. */
import { useTranslation } from "react-i18next";
import { RunPage } from "./runs/RunPage";
import { RunsPage } from "./runs/RunsPage";
import { useRoute } from "./shell/route";
import { Shell } from "./shell/Shell";

export function App() {
  const route = useRoute();
  const { t } = useTranslation();
  return (
    <Shell route={route}>
      {route.view === "runs" && <RunsPage />}
      {route.view === "run" && <RunPage key={route.id} id={route.id} node={route.node} />}
      {(route.view === "pipelines" || route.view === "pipeline") && t("drafts.none")}
    </Shell>
  );
}
