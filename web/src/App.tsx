/** Shows the view that the address names. */
import { useTranslation } from "react-i18next";
import { DraftsView } from "./drafts/DraftsView";
import { DraftView } from "./drafts/DraftView";
import { type Route, useRoute } from "./shell/route";
import { Shell } from "./shell/Shell";

export function App() {
  const route = useRoute();
  return (
    <Shell route={route}>
      <View route={route} />
    </Shell>
  );
}

function View({ route }: { route: Route }) {
  const { t } = useTranslation();
  if (route.view === "pipelines") return <DraftsView />;
  if (route.view === "pipeline") return <DraftView key={route.id} id={route.id} />;
  return <p>{t("runs.none")}</p>;
}
