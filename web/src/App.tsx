/** Shows the view that the address names. */
import { DraftsView } from "./drafts/DraftsView";
import { DraftView } from "./drafts/DraftView";
import { RunPage } from "./runs/RunPage";
import { RunsPage } from "./runs/RunsPage";
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
  if (route.view === "pipelines") return <DraftsView />;
  if (route.view === "pipeline") return <DraftView key={route.id} id={route.id} />;
  if (route.view === "run") return <RunPage key={route.id} id={route.id} node={route.node} />;
  return <RunsPage />;
}
