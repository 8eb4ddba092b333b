/** The frame around every view: its name, the views, and how the page looks. */
import { ActionIcon, Tooltip, useComputedColorScheme, useMantineColorScheme } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useEffect } from "react";
import { useTranslation } from "react-i18next";
import { Icon } from "../icons/Icon";
import { useIsConnected, useRunsNow } from "../live/useLive";
import { AccountMenu } from "../people/AccountMenu";
import { SESSION, useSession } from "../people/useSession";
import { LanguageButtons } from "./LanguageButtons";
import { Link } from "./Link";
import { go, type Route } from "./route";
import styles from "./Shell.module.css";

interface ShellProps {
  route: Route;
  children: ReactNode;
}

export function Shell({ route, children }: ShellProps) {
  const { t } = useTranslation();
  const isRuns = ["runs", "run", "compare", "data"].includes(route.view);
  const isPipelines = route.view === "pipelines" || route.view === "pipeline";
  const { hasPeople } = useSession();
  return (
    <div className={styles.shell}>
      <header className={styles.header}>
        <Link to={{ view: "pipelines" }} className={styles.name}>
          <img src="/mark.svg" alt="" width={20} height={20} />
          <span>Imageloom</span>
        </Link>
        <nav className={styles.views} aria-label={t("shell.views")}>
          <Link to={{ view: "pipelines" }} isCurrent={isPipelines} className={styles.view}>
            <Icon name="pipelines" />
            {t("shell.pipelines")}
          </Link>
          <Link to={{ view: "runs" }} isCurrent={isRuns} className={styles.view}>
            <Icon name="runs" />
            {t("shell.runs")}
          </Link>
        </nav>
        <div className={styles.end}>
          <LanguageButtons />
          {!hasPeople && <BinButton />}
          <SchemeButton />
          {hasPeople && <AccountMenu />}
        </div>
      </header>
      <OfflineNote />
      <main className={styles.main}>{children}</main>
    </div>
  );
}

/** Says that the server is gone; the page goes on by itself when it is back. */
function OfflineNote() {
  const { t } = useTranslation();
  useRunsNow(); // so that the stream is open, and its end noticed, in every view
  const isUp = useIsConnected();
  const queries = useQueryClient();
  useEffect(() => {
    // Perhaps it is there, and the session has ended.
    if (!isUp) void queries.refetchQueries({ queryKey: SESSION });
  }, [isUp, queries]);
  if (isUp) return null;
  return (
    <p className={styles.offline} role="status">
      <Icon name="warning" size={14} />
      {t("failure.offline")} {t("failure.offlineHint")}
    </p>
  );
}

function BinButton() {
  const { t } = useTranslation();
  return (
    <Tooltip label={t("bin.title")}>
      <ActionIcon aria-label={t("bin.title")} onClick={() => go({ view: "bin" })}>
        <Icon name="delete" />
      </ActionIcon>
    </Tooltip>
  );
}

function SchemeButton() {
  const { t } = useTranslation();
  const { setColorScheme } = useMantineColorScheme();
  const isDark = useComputedColorScheme() === "dark";
  const label = isDark ? t("shell.light") : t("shell.dark");
  return (
    <Tooltip label={label}>
      <ActionIcon aria-label={label} onClick={() => setColorScheme(isDark ? "light" : "dark")}>
        <Icon name={isDark ? "sun" : "moon"} />
      </ActionIcon>
    </Tooltip>
  );
}
