/** A log that may be long: only the lines in view are drawn; it follows its end if one likes. */
import { ActionIcon, Button, Select, Switch, TextInput, Tooltip } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { OVERTAKEN_MS } from "../api/queries";
import { addressOf, readLogs, searchLog } from "../api/runQuestions";
import { Icon } from "../icons/Icon";
import { RequestFailure } from "../runs/FailureCard";
import { levelOf } from "./lines";
import styles from "./logs.module.css";
import { useLog } from "./useLog";

interface LogViewProps {
  run: string;
  node: string;
  /** Bytes of each log by who wrote it, while the node runs. */
  sizes: Record<string, number>;
  /** Changes when the node's state does, so that the end of a log is read. */
  mark: string;
  /** A place to open at, as an error names it. */
  place: { label: string; offset: number } | null;
}

const LINE_PX = 18;

export function LogView({ run, node, sizes, mark, place }: LogViewProps) {
  const { t } = useTranslation();
  const [chosen, setChosen] = useState<string | null>(place?.label ?? null);
  const [target, setTarget] = useState<number | null>(place?.offset ?? null);
  const logs = useQuery({
    queryKey: ["logs", run, node, Object.keys(sizes).join(), mark],
    queryFn: ({ signal }) => readLogs(run, node, signal),
    placeholderData: (before) => before,
    gcTime: OVERTAKEN_MS,
  });
  useEffect(() => {
    if (!place) return;
    setChosen(place.label);
    setTarget(place.offset);
  }, [place]);
  if (logs.error)
    return <RequestFailure problem={logs.error} onAgain={() => void logs.refetch()} />;
  const labels = logs.data?.map((log) => log.label) ?? [];
  const label = chosen !== null && labels.includes(chosen) ? chosen : labels[0];
  if (label === undefined) return <p className="quiet">{t("logs.none")}</p>;
  const size = sizes[label] ?? logs.data?.find((log) => log.label === label)?.bytes;
  return (
    <div className={styles.logs}>
      <OneLog
        key={label}
        place={{ run, node, label }}
        size={size}
        target={target}
        onTarget={setTarget}
        chooser={
          labels.length > 1 && (
            <Select
              aria-label={t("logs.log")}
              data={labels}
              value={label}
              onChange={(value) => {
                setChosen(value);
                setTarget(null);
              }}
              allowDeselect={false}
              w={180}
            />
          )
        }
      />
    </div>
  );
}

interface OneLogProps {
  place: { run: string; node: string; label: string };
  size: number | undefined;
  target: number | null;
  onTarget: (offset: number | null) => void;
  chooser: React.ReactNode;
}

function OneLog({ place, size, target, onTarget, chooser }: OneLogProps) {
  const { t } = useTranslation();
  const { view, problem, readEarlier } = useLog(place, size, target);
  const [isFollowing, setFollowing] = useState(target === null);
  const [typed, setTyped] = useState("");
  const [text] = useDebouncedValue(typed.trim(), 300);
  const box = useRef<HTMLDivElement>(null);
  const lines = view?.lines ?? [];
  const rows = useVirtualizer({
    count: lines.length + (view?.rest ? 1 : 0),
    getScrollElement: () => box.current,
    estimateSize: () => LINE_PX,
    overscan: 30,
  });
  const { run, node, label } = place;
  const found = useQuery({
    queryKey: ["log-search", run, node, label, text],
    enabled: text !== "",
    queryFn: ({ signal }) => searchLog(run, node, label, text, signal),
  });
  const count = rows.options.count;
  useEffect(() => {
    if (isFollowing && target === null && count > 0)
      rows.scrollToIndex(count - 1, { align: "end" });
  }, [isFollowing, target, count, rows]);
  const targetRow = target === null ? -1 : lines.findLastIndex((line) => line.offset <= target);
  useEffect(() => {
    if (targetRow >= 0) rows.scrollToIndex(targetRow, { align: "center" });
  }, [targetRow, rows]);

  if (problem) return <RequestFailure problem={problem} />;
  return (
    <>
      <div className={styles.controls}>
        {chooser}
        <TextInput
          className={styles.search}
          leftSection={<Icon name="search" size={14} />}
          placeholder={t("logs.search")}
          aria-label={t("logs.search")}
          value={typed}
          onChange={(event) => setTyped(event.currentTarget.value)}
        />
        <Switch
          size="xs"
          label={t("logs.follow")}
          checked={isFollowing && target === null}
          onChange={(event) => {
            setFollowing(event.currentTarget.checked);
            if (event.currentTarget.checked) onTarget(null);
          }}
        />
        <Tooltip label={t("logs.download")}>
          <ActionIcon
            component="a"
            href={addressOf.log(run, node, label)}
            aria-label={t("logs.download")}
          >
            <Icon name="download" />
          </ActionIcon>
        </Tooltip>
      </div>
      {text !== "" && found.data && (
        <ul className={styles.found}>
          <li className="quiet">
            {found.data.found.length === 0
              ? t("logs.notFound")
              : found.data.more
                ? t("logs.foundMore", { count: found.data.found.length })
                : t("logs.found", { count: found.data.found.length })}
          </li>
          {found.data.found.map((line) => (
            <li key={line.offset}>
              <button
                type="button"
                className={styles.find}
                onClick={() => {
                  setFollowing(false);
                  onTarget(line.offset);
                }}
              >
                <span className="quiet number">{line.number}</span> {line.text}
              </button>
            </li>
          ))}
        </ul>
      )}
      {view && view.start > 0 && (
        <Button onClick={() => void readEarlier()} leftSection={<Icon name="up" size={14} />}>
          {t("logs.earlier")}
        </Button>
      )}
      {view && count === 0 && <p className="quiet">{t("logs.none")}</p>}
      <div
        ref={box}
        className={styles.box}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it is scrolled with the keyboard
        tabIndex={0}
        role="log"
        aria-label={label}
        onWheel={(event) => event.deltaY < 0 && setFollowing(false)}
      >
        <div style={{ height: rows.getTotalSize(), position: "relative" }}>
          {rows.getVirtualItems().map((row) => {
            const line = lines[row.index];
            const shown = line?.text ?? view?.rest ?? "";
            return (
              <div
                key={line?.offset ?? "rest"}
                ref={rows.measureElement}
                data-index={row.index}
                data-level={levelOf(shown)}
                data-target={row.index === targetRow || undefined}
                className={styles.line}
                style={{ transform: `translateY(${row.start}px)` }}
              >
                {shown || "\u00a0"}
              </div>
            );
          })}
        </div>
      </div>
    </>
  );
}
