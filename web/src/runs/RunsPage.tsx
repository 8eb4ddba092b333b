/** The list of runs, with search, states and orders. */
import { ActionIcon, Button, Checkbox, Loader, Select, TextInput, Tooltip } from "@mantine/core";
import { useDebouncedValue, useMediaQuery } from "@mantine/hooks";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { RunOrder, RunRow, RunState, Whose } from "../api/types";
import { Icon } from "../icons/Icon";
import { useSession } from "../people/useSession";
import { WhoseChoice } from "../people/WhoseChoice";
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
const MOST_COMPARED = 20; // as the server takes them
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
  const [whose, setWhose] = useState<Whose>("all");
  const [order, setOrder] = useState<RunOrder>("created");
  const [isReversed, setReversed] = useState(false);
  const [chosen, setChosen] = useState<readonly string[]>([]);
  const list = useRunList({ text, state, whose, order, isReversed });
  const now = useNow(1_000);
  const rows = list.data?.pages.flatMap((page) => page.runs) ?? [];
  const isFiltered = text !== "" || state !== null || whose !== "all";
  const isEmpty = rows.length === 0 && list.isSuccess;
  const showAll = () => {
    setTyped("");
    setState(null);
    setWhose("all");
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
        <WhoseChoice value={whose} onChange={setWhose} />
        <Select
          aria-label={t("runList.state")}
          placeholder={t("runList.anyState")}
          data={STATES.map((one) => ({ value: one, label: t(`state.${one}`) }))}
          value={state}
          onChange={(value) => setState(value as RunState | null)}
          clearable
          className={styles.choice}
        />
        <Select
          aria-label={t("runList.order")}
          data={Object.entries(ORDERS).map(([value, label]) => ({ value, label: t(label) }))}
          value={order}
          onChange={(value) => setOrder((value as RunOrder | null) ?? "created")}
          allowDeselect={false}
          className={styles.choice}
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
      {chosen.length > 0 && (
        <div className={styles.chosen}>
          <Button
            variant="filled"
            disabled={chosen.length < 2}
            onClick={() => go({ view: "compare", runs: chosen })}
          >
            {t("compare.do", { count: chosen.length })}
          </Button>
          <Button onClick={() => setChosen([])}>{t("compare.clear")}</Button>
        </div>
      )}
      {list.isPending && <Loader size="sm" m="lg" aria-label={t("loading")} />}
      {list.error && <RequestFailure problem={list.error} onAgain={() => void list.refetch()} />}
      {rows.length > 0 && (
        <RunTable
          rows={rows}
          now={now}
          isBusy={list.isFetching}
          chosen={chosen}
          onChosen={setChosen}
        />
      )}
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
  /** Ids of runs to compare, in the order in which they were chosen. */
  chosen: readonly string[];
  onChosen: (chosen: readonly string[]) => void;
}

function RunTable({ rows, now, isBusy, chosen, onChosen }: RunTableProps) {
  const { t } = useTranslation();
  const isNarrow = useMediaQuery("(max-width: 48rem)", false, { getInitialValueInEffect: false });
  const choose = (id: string, isChosen: boolean) =>
    onChosen(isChosen ? [...chosen, id].slice(-MOST_COMPARED) : chosen.filter((one) => one !== id));
  return (
    <table className={`table ${styles.runs}`} aria-busy={isBusy}>
      <thead>
        <tr>
          <th>{t("compare.chooseColumn")}</th>
          <th>{t("runList.run")}</th>
          {!isNarrow && (
            <>
              <th>{t("runList.state")}</th>
              <th className="right">{t("runList.nodes")}</th>
              <th className="right">{t("runList.began")}</th>
              <th className="right">{t("runList.took")}</th>
              <th>{t("runList.what")}</th>
            </>
          )}
        </tr>
      </thead>
      <tbody>
        {rows.map((run) => (
          <Row
            key={run.id}
            run={run}
            now={now}
            isNarrow={isNarrow}
            isChosen={chosen.includes(run.id)}
            onChosen={(isChosen) => choose(run.id, isChosen)}
          />
        ))}
      </tbody>
    </table>
  );
}

interface RowProps {
  run: RunRow;
  now: number;
  /** Whether all stands below the name, for want of room beside it. */
  isNarrow: boolean;
  /** Whether it is chosen to be compared. */
  isChosen: boolean;
  onChosen: (isChosen: boolean) => void;
}

function Row({ run, now, isNarrow, isChosen, onChosen }: RowProps) {
  const { t } = useTranslation();
  const { hasPeople } = useSession();
  const began = moment(run.began ?? run.created, now);
  const end = run.ended ?? (run.state === "running" ? now : null);
  const took = run.began !== null && end !== null ? duration(t, end - run.began) : "";
  const problem = run.problem.split("\n")[0];
  return (
    <tr>
      <td>
        <Checkbox
          size="xs"
          aria-label={t("compare.choose", { name: `${run.name} ${run.id}`.trim() })}
          checked={isChosen}
          onChange={(event) => onChosen(event.currentTarget.checked)}
        />
      </td>
      <td>
        <Link to={{ view: "run", id: run.id, node: "" }} className={styles.name}>
          {run.name || run.id}
        </Link>
        <div className={`quiet number ${styles.id}`}>
          {run.id}
          {hasPeople && ` · ${t("sharing.of", { who: run.owner || t("sharing.machine") })}`}
        </div>
        {isNarrow && (
          <>
            <div className={styles.folded}>
              <StateLabel state={run.state} />
              <span className="quiet number">{[began, took].filter(Boolean).join(" · ")}</span>
            </div>
            {problem && (
              <div className={styles.problem} lang="en">
                {problem}
              </div>
            )}
          </>
        )}
      </td>
      {!isNarrow && (
        <>
          <td>
            <StateLabel state={run.state} />
          </td>
          <td className="right number">
            {run.num_done}/{run.num_nodes}
          </td>
          <td className="right number">{began}</td>
          <td className="right number">{took}</td>
          <td className={styles.problem} lang="en">
            {problem}
          </td>
        </>
      )}
    </tr>
  );
}
