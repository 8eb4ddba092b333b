/** The list of runs, with search, states and orders. */
import { ActionIcon, Button, Select, TextInput, Tooltip } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { RunOrder, RunRow, RunState } from "../api/types";
import { Icon } from "../icons/Icon";
import { Link } from "../shell/Link";
import { Message } from "../shell/Message";
import { go } from "../shell/route";
import { RequestFailure } from "./FailureCard";
import { useRunList } from "./queries";
import styles from "./runs.module.css";
import { StateLabel } from "./StateLabel";
import { useNow } from "./useNow";
import { duration, moment } from "./words";

const STATES: RunState[] = ["queued", "running", "completed", "failed", "cancelled", "interrupted"];
const ORDERS: Record<RunOrder, string> = {
  created: "runList.created",
  name: "runList.name",
  state: "runList.byState",
  duration: "runList.duration",
};

export function RunsPage() {
  const { t } = useTranslation();
  const [typed, setTyped] = useState("");
  const [text] = useDebouncedValue(typed, 200);
  const [state, setState] = useState<RunState | null>(null);
  const [order, setOrder] = useState<RunOrder>("created");
  const [isReversed, setReversed] = useState(false);
  const list = useRunList({ text, state, order, isReversed });
  const now = useNow(1_000);
  const rows = list.data?.pages.flatMap((page) => page.runs) ?? [];
  const isFiltered = text !== "" || state !== null;
  const isEmpty = rows.length === 0 && list.isSuccess;
  const showAll = () => {
    setTyped("");
    setState(null);
  };
  if (isEmpty && !isFiltered) {
    return (
      <Message title={t("runList.noneYet")} text={t("runList.noneYetHelp")}>
        <Button onClick={() => go({ view: "pipelines" })}>{t("runList.toPipelines")}</Button>
      </Message>
    );
  }
  return (
    <div className={styles.page}>
      <header className={styles.bar}>
        <h1 className={styles.title}>{t("runList.title")}</h1>
        <TextInput
          className={styles.search}
          leftSection={<Icon name="search" size={14} />}
          placeholder={t("runList.search")}
          aria-label={t("runList.search")}
          value={typed}
          onChange={(event) => setTyped(event.currentTarget.value)}
        />
        <Select
          aria-label={t("runList.state")}
          placeholder={t("runList.anyState")}
          data={STATES.map((one) => ({ value: one, label: t(`state.${one}`) }))}
          value={state}
          onChange={(value) => setState(value as RunState | null)}
          clearable
          w={150}
        />
        <Select
          aria-label={t("runList.order")}
          data={Object.entries(ORDERS).map(([value, label]) => ({ value, label: t(label) }))}
          value={order}
          onChange={(value) => setOrder((value as RunOrder | null) ?? "created")}
          allowDeselect={false}
          w={150}
        />
        <Tooltip label={t("runList.reverse")}>
          <ActionIcon
            aria-label={t("runList.reverse")}
            aria-pressed={isReversed}
            onClick={() => setReversed(!isReversed)}
          >
            <Icon name="sort" />
          </ActionIcon>
        </Tooltip>
      </header>
      {list.error && <RequestFailure problem={list.error} onAgain={() => void list.refetch()} />}
      {rows.length > 0 && <RunTable rows={rows} now={now} isBusy={list.isFetching} />}
      {isEmpty && isFiltered && (
        <Message title={t("runList.none")}>
          <Button onClick={showAll}>{t("runList.anyRun")}</Button>
        </Message>
      )}
      {list.hasNextPage && (
        <Button onClick={() => void list.fetchNextPage()} loading={list.isFetchingNextPage}>
          {t("runList.more")}
        </Button>
      )}
    </div>
  );
}

interface RunTableProps {
  rows: readonly RunRow[];
  now: number;
  isBusy: boolean;
}

function RunTable({ rows, now, isBusy }: RunTableProps) {
  const { t } = useTranslation();
  return (
    <table className={styles.table} aria-busy={isBusy}>
      <thead>
        <tr>
          <th>{t("runList.run")}</th>
          <th>{t("runList.state")}</th>
          <th className={`${styles.right} ${styles.medium}`}>{t("runList.nodes")}</th>
          <th className={styles.right}>{t("runList.began")}</th>
          <th className={styles.right}>{t("runList.took")}</th>
          <th className={styles.wide}>{t("runList.what")}</th>
        </tr>
      </thead>
      <tbody>
        {rows.map((run) => (
          <tr key={run.id}>
            <td>
              <Link to={{ view: "run", id: run.id, node: "" }} className={styles.name}>
                {run.name || run.id}
              </Link>
              <div className={`quiet number ${styles.id}`}>{run.id}</div>
            </td>
            <td>
              <StateLabel state={run.state} />
            </td>
            <td className={`${styles.right} ${styles.medium} number`}>
              {run.num_done}/{run.num_nodes}
            </td>
            <td className={`${styles.right} number`}>{moment(run.began ?? run.created, now)}</td>
            <td className={`${styles.right} number`}>
              {run.began !== null &&
                (run.ended ?? (run.state === "running" ? now : null)) !== null &&
                duration(t, (run.ended ?? now) - run.began)}
            </td>
            <td className={`${styles.wide} ${styles.problem}`}>{run.problem.split("\n")[0]}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
