/** Shows the view that the address names; each comes when it is first asked for. */
import { Loader } from "@mantine/core";
import { lazy, Suspense } from "react";
import { useTranslation } from "react-i18next";
import { DraftsView } from "./drafts/DraftsView";
import { SignInPage } from "./people/SignInPage";
import { isSignedOut, useSessionQuery } from "./people/useSession";
import { RequestFailure } from "./runs/FailureCard";
import { pathOf, type Route, useRoute } from "./shell/route";
import { Shell } from "./shell/Shell";
import { ViewBoundary } from "./shell/ViewBoundary";

const DraftView = lazy(async () => ({ default: (await import("./drafts/DraftView")).DraftView }));
const RunView = lazy(async () => ({ default: (await import("./canvas/RunView")).RunView }));
const ComparePage = lazy(async () => ({
  default: (await import("./compare/ComparePage")).ComparePage,
}));
const BinPage = lazy(async () => ({ default: (await import("./bin/BinPage")).BinPage }));
const UsersPage = lazy(async () => ({ default: (await import("./people/UsersPage")).UsersPage }));
const ActivityPage = lazy(async () => ({
  default: (await import("./people/ActivityPage")).ActivityPage,
}));
const RunsPage = lazy(async () => ({ default: (await import("./runs/RunsPage")).RunsPage }));
const DataPage = lazy(async () => ({ default: (await import("./data/DataPage")).DataPage }));

export function App() {
  const route = useRoute();
  const { t } = useTranslation();
  const session = useSessionQuery();
  if (isSignedOut(session.error)) return <SignInPage />;
  if (!session.data) {
    return session.error ? (
      <RequestFailure problem={session.error} onAgain={() => void session.refetch()} />
    ) : (
      <Loader size="sm" m="lg" aria-label={t("loading")} />
    );
  }
  return (
    <Shell route={route}>
      <ViewBoundary place={pathOf(route)}>
        <Suspense fallback={<Loader size="sm" m="lg" aria-label={t("loading")} />}>
          <View route={route} />
        </Suspense>
      </ViewBoundary>
    </Shell>
  );
}

function View({ route }: { route: Route }) {
  switch (route.view) {
    case "pipelines":
      return <DraftsView />;
    case "pipeline":
      return <DraftView key={route.id} id={route.id} />;
    case "runs":
      return <RunsPage />;
    case "compare":
      return <ComparePage key={route.runs.join("/")} runs={route.runs} />;
    case "run":
      return <RunView key={route.id} id={route.id} node={route.node} />;
    case "data": {
      const { run, node, port } = route;
      return <DataPage key={`${run} ${node} ${port}`} which={{ run, node, port }} />;
    }
    case "bin":
      return <BinPage />;
    case "users":
      return <UsersPage />;
    case "activity":
      return <ActivityPage />;
  }
}
