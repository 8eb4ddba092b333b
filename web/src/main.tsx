import "./theme/mantine.css";
import "@xyflow/react/dist/style.css";
import "./theme/base.css";
import { MutationCache, QueryCache, QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { I18nextProvider } from "react-i18next";
import { App } from "./App";
import { mayAskAgain } from "./api/client";
import { i18n } from "./i18n";
import { speakWanted } from "./i18n/language";
import { isSignedOut, SESSION } from "./people/useSession";
import { Look } from "./theme/Look";

const queries: QueryClient = new QueryClient({
  queryCache: new QueryCache({ onError: lookWhoIsSignedIn }),
  mutationCache: new MutationCache({ onError: lookWhoIsSignedIn }),
  defaultOptions: {
    queries: { staleTime: 30_000, retry: mayAskAgain, refetchOnWindowFocus: false },
  },
});
/** Where a session has ended, the page says so instead of failing piece by piece. */
function lookWhoIsSignedIn(problem: unknown): void {
  const known = queries.getQueryState(SESSION);
  if (isSignedOut(problem) && known?.status === "success") {
    void queries.resetQueries({ queryKey: SESSION });
  }
}
// A part of the page that a studio which answers does not have means that it was updated: the new page has it.
window.addEventListener("vite:preloadError", () => void reloadWhereServed());
async function reloadWhereServed(): Promise<void> {
  const answer = await fetch("/", { cache: "no-store" }).catch(() => null);
  if (answer?.ok) window.location.reload();
}
const root = document.getElementById("root");
if (root) {
  await speakWanted();
  createRoot(root).render(
    <StrictMode>
      <I18nextProvider i18n={i18n}>
        <QueryClientProvider client={queries}>
          <Look>
            <App />
          </Look>
        </QueryClientProvider>
      </I18nextProvider>
    </StrictMode>,
  );
}
